"""Content of a generated database, computed from numbers: person 7, grant 12, and the refresh token of grant 12.

Nothing is stored beside the database: a grant's number gives its first refresh token, and a person's number gives their
e-mail address. Grants are numbered in the order of their creation, evenly over twenty days. Each belongs to one of the
people who existed by then, so that adjacent grants have unrelated owners.
"""

from __future__ import annotations

from binascii import b2a_base64
from dataclasses import dataclass
from hashlib import blake2b, sha256

from doorward.features.oauth.tokens.rules import refresh_format as text

GRANTS_PER_PERSON = 5
MOST_GRANTS = 5_000_000
SPAN_MS = 20 * 86_400_000
LIFE = 30 * 86_400
LONG_PAST = 60 * 86_400
AUDIENCE = "https://orders.example.com"
SCOPES = "openid offline_access orders:read orders:write"
ACR = "urn:doorward:aal1"
# Argon2id hash of a password that is never used: passwords are not measured here
PASSWORD_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$c2NhbGVzY2FsZXNjYWxl$dGhpcyBpcyBub2JvZHkncyBwYXNzd29yZCBvZiBhbGw"
)
USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36"
)
NO_LINKS = b"\x90"
"""An empty list in MessagePack: no spent token is recorded yet."""

_URL_SAFE = bytes.maketrans(b"+/", b"-_")

ACCOUNT = (
    "id",
    "email",
    "created_at",
    "name",
    "locale",
    "password_hash",
    "password_changed_at",
    "disabled_at",
)
ACCOUNT_COLUMNS = (*ACCOUNT, "role_names")
FACTOR_COLUMNS = ("id", "account_id", "kind", "created_at", "sealed", "code_hash", "last_step", "used_at")
SESSION_COLUMNS = (
    *("id", "secret_hash", "account_id", "created_at", "seen_at", "auth_time", "expires_at", "acr", "amr"),
    *("user_agent", "address", "ended_at", "end_reason"),
)
GRANT_COLUMNS = (
    *("id", "client_id", "account_id", "audience", "scopes", "created_at", "expires_at", "auth_time", "acr"),
    *(
        "amr",
        "session_id",
        "offline",
        "nonce",
        "claims",
        "ended_at",
        "end_reason",
    ),
)
REFRESH_COLUMNS = ("grant_id", "family_hash", "generation", "hash", "created_at", "expires_at", "recent")
"""The columns of the filled tables, in the order of the rows below."""

Cell = str | int | bytes | None
Row = tuple[Cell, ...]


def _base64url(data: bytes) -> str:
    return b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=").decode("ascii")


@dataclass(frozen=True, slots=True)
class World:
    """Values common to all rows: when the first grant was created (ms since the epoch), and the app that holds them."""

    begins_ms: int
    client_id: str

    def grant_id(self, number: int) -> str:
        """A UUIDv7 with the creation time of this grant."""
        return _named("grt", self._moment(number), _random(b"grant", number))

    def account_id(self, person: int) -> str:
        """One person is created for every five grants."""
        return _named("usr", self._moment(person * GRANTS_PER_PERSON), _random(b"person", person))

    def token(self, number: int) -> str:
        """The first refresh token of a grant, as its app holds it."""
        return self.named_token(self.grant_id(number), number)

    def named_token(self, grant_id: str, number: int) -> str:
        """The same, given the grant's id."""
        random = _random(b"grant", number)
        return text.first(grant_id, _base64url(random[8:24]), _base64url(random[24:56]))

    def _moment(self, number: int) -> int:
        return self.begins_ms + number * SPAN_MS // MOST_GRANTS

    def _came(self, person: int) -> int:
        return self._moment(person * GRANTS_PER_PERSON) // 1000

    def account(self, person: int) -> Row:
        """A row of `accounts`."""
        at = self._came(person)
        name = f"Person {person}"
        account_id = self.account_id(person)
        return (account_id, email(person), at, name, "en", PASSWORD_HASH, at, None, '["buyer"]')

    def factor(self, person: int) -> Row:
        """A row of `factors`."""
        random = _random(b"factor", person)
        at = self._came(person)
        factor_id = _named("fac", self._moment(person * GRANTS_PER_PERSON), random)
        return (factor_id, self.account_id(person), "totp", at, random[:60], None, 0, None)

    def session_id(self, person: int) -> str:
        """Each person has one session, created with the account."""
        return _named("ses", self._moment(person * GRANTS_PER_PERSON), _random(b"session", person))

    def session(self, person: int) -> Row:
        """A row of `sessions`."""
        at = self._came(person)
        secret = _random(b"cookie", person)[:32]
        known = (self.session_id(person), secret, self.account_id(person), at, at, at, at + LIFE, ACR, "pwd")
        return (*known, USER_AGENT, "192.0.2.1", None, None)

    def grant(self, number: int) -> tuple[Row, Row]:
        """A row of `grants`, and its row of `refresh_tokens`."""
        return self._granted(number, self._moment(number))

    def expired(self, number: int) -> tuple[Row, Row]:
        """A grant and its token that expired long ago and wait for the sweep. `number` counts from 0."""
        return self._granted(-1 - number, self._moment(-1 - number) - LONG_PAST * 1000)

    def _granted(self, number: int, moment: int) -> tuple[Row, Row]:
        grant_id = _named("grt", moment, _random(b"grant", number))
        person = owner(number)
        raw = self.named_token(grant_id, number)
        at = moment // 1000
        ends = at + LIFE
        grant = (
            *(grant_id, self.client_id, self.account_id(person), AUDIENCE, SCOPES, at, ends, at, ACR, "pwd"),
            *(self.session_id(person), 1, None, "{}", None, None),
        )
        token_hash = sha256(raw.encode()).digest()
        return grant, (grant_id, text.family_hash(raw), 1, token_hash, at, ends, NO_LINKS)


def owner(number: int) -> int:
    """The person to whom a grant belongs: one who existed when it was created."""
    there = max(1, number // GRANTS_PER_PERSON + 1)
    return int.from_bytes(_random(b"owner", number)[:8], "big") % there


def people_of(grants: int) -> int:
    """The number of people for so many grants."""
    return -(-grants // GRANTS_PER_PERSON)


def email(person: int) -> str:
    """Addresses are in no order, as in real use."""
    return f"{_random(b'mail', person)[:5].hex()}.{person}@example.com"


def has_factor(person: int) -> bool:
    """Every fourth person has a second factor."""
    return person % 4 == 0


def _random(kind: bytes, number: int) -> bytes:
    return blake2b(b"%b %d" % (kind, number), digest_size=64).digest()


def _named(prefix: str, moment: int, random: bytes) -> str:
    rest = int.from_bytes(random[:8], "big")
    high = moment << 16 | 0x7000 | rest & 0xFFF
    low = 0x8000_0000_0000_0000 | rest >> 2
    return f"{prefix}_{high:016x}{low:016x}"
