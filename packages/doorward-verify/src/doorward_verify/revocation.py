"""Local view of the issuer's revocation feed: which tokens are revoked. It receives updates and never fetches."""

import hashlib
from functools import lru_cache
from typing import Final, Literal

from msgspec import DecodeError, Struct, ValidationError, convert, field

from doorward_verify.encoding import Malformed, b64url_decode, b64url_encode, json_object
from doorward_verify.principal import Principal

MAX_FEED_BYTES: Final = 32 * 1024 * 1024
FORGET_EVERY: Final = 60
KINDS: Final = frozenset({"jti", "grant", "sid", "sub", "client"})
HIDDEN_BYTES: Final = 16
MAX_SALT_CHARS: Final = 128
# Values that one process looks up repeatedly: ids of cached tokens, and the people, sessions and apps that
# many tokens share.
_KEPT_HASHES: Final = 16_384


class InvalidFeed(ValueError):
    """The feed's answer cannot be read. The message says why."""


class Entry(Struct, frozen=True):
    """One revocation. `before` (sub and client): tokens issued up to and in that second. After `exp` it can
    be dropped."""

    kind: Literal["jti", "grant", "sid", "sub", "client"]
    id: str
    exp: int
    before: int | None = None


class Feed(Struct, frozen=True):
    """One answer of the feed. `reset`: the whole view begins with this page and replaces the old one. `more`:
    the next page follows at once. With a `salt` the entries' ids are hashed (`hidden`), without one they are
    plain, as in older issuers."""

    cursor: str
    reset: bool
    entries: list[Entry]
    unknown_kinds: tuple[str, ...] = ()
    more: bool = False
    salt: str | None = None


class _Raw(Struct, frozen=True):
    cursor: str
    reset: bool = False
    entries: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    more: bool = False
    salt: str | None = None


class _View(Struct, frozen=True):
    salt: str | None
    ids: dict[str, dict[str | bytes, int]]
    before: dict[str, dict[str | bytes, tuple[int, int]]]

    def __len__(self) -> int:
        return sum(map(len, self.ids.values())) + sum(map(len, self.before.values()))

    def key(self, kind: str, id_: str) -> str | bytes:
        return id_ if self.salt is None else _kept_hash(self.salt, kind, id_)


def hidden(salt: str, kind: str, id_: str) -> str:
    """An id as a feed with a salt writes it: base64url of the first 16 bytes of SHA-256 of salt, kind and id
    joined by colons."""
    return b64url_encode(_hash(salt, kind, id_))


def _hash(salt: str, kind: str, id_: str) -> bytes:
    return hashlib.sha256(f"{salt}:{kind}:{id_}".encode("utf-8", "surrogatepass")).digest()[:HIDDEN_BYTES]


_kept_hash = lru_cache(_KEPT_HASHES)(_hash)


def parse_feed(document: bytes) -> Feed:
    """Parse one answer of the feed. Raises `InvalidFeed`.

    An entry of an unknown kind, from a newer server, is left out and named in `unknown_kinds`. Any other
    deviation makes the whole answer invalid, because a skipped entry is a revoked token that is accepted.
    """
    if len(document) > MAX_FEED_BYTES:
        raise InvalidFeed(f"the revocation feed is bigger than {MAX_FEED_BYTES} bytes")
    try:
        raw = convert(json_object(document), _Raw)
        known = [entry for entry in raw.entries if entry.get("kind") in KINDS]
        entries = convert(known, list[Entry])
    except (Malformed, ValidationError, DecodeError, TypeError) as error:
        raise InvalidFeed(f"the revocation feed is not as agreed: {error}") from None
    if any(entry.before is None for entry in entries if entry.kind in ("sub", "client")):
        raise InvalidFeed("the revocation feed is not as agreed: `before` is missing")
    if raw.salt is not None:
        _check_hidden(raw.salt, entries)
    unknown = sorted({str(entry.get("kind"))[:32] for entry in raw.entries if entry.get("kind") not in KINDS})
    return Feed(raw.cursor, raw.reset, entries, tuple(unknown), raw.more, raw.salt)


def _check_hidden(salt: str, entries: list[Entry]) -> None:
    if not 0 < len(salt) <= MAX_SALT_CHARS:
        raise InvalidFeed(
            f"the revocation feed is not as agreed: a salt has 1 to {MAX_SALT_CHARS} characters"
        )
    try:
        if all(len(b64url_decode(entry.id)) == HIDDEN_BYTES for entry in entries):
            return
    except Malformed:
        pass
    raise InvalidFeed(f"the revocation feed is not as agreed: an id is not the hash of {HIDDEN_BYTES} bytes")


class RevocationView:
    """The current revocations. One thread updates the view; any number of threads read it.

    `generation` grows after each change, so that a result from an older generation is checked again;
    `fresh_until` is when the view becomes too old to be relied upon (never, when no feed is used).
    """

    __slots__ = ("_coming", "_forgotten_at", "_view", "cursor", "fresh_until", "generation")

    def __init__(self) -> None:
        self.cursor: str | None = None
        self.generation = 0
        self.fresh_until = float("-inf")
        self._view = _empty(None)
        self._coming: _View | None = None
        self._forgotten_at = 0.0

    def __len__(self) -> int:
        return len(self._view)

    def distrust(self) -> None:
        """Stop relying on the view until the whole view has arrived again."""
        self.cursor = None
        self.fresh_until = float("-inf")
        self._coming = None

    def apply(self, feed: Feed, now: float) -> None:
        """Apply one answer. The view changes before the generation, so a reader of the old view checks again.
        Raises `InvalidFeed`.

        The pages of a new view are collected beside the current one, which is used until the last page has
        arrived: half a view would accept tokens that the other half revokes.
        """
        whole = feed.reset or self.cursor is None
        if whole:
            self._coming = _empty(feed.salt)
        view = self._view if self._coming is None else self._coming
        if feed.salt != view.salt:
            self.cursor = None
            raise InvalidFeed("the revocation feed changed its salt without beginning anew")
        for entry in feed.entries:
            _add(view, entry)
        self.cursor = feed.cursor
        if self._coming is None:
            changed = bool(feed.entries)
        elif feed.more:
            return
        else:
            changed = len(view) > 0 or len(self) > 0
            self._view, self._coming = view, None
        if changed:
            self.generation += 1
        if now - self._forgotten_at >= FORGET_EVERY or now < self._forgotten_at:
            self._view = _without_expired(self._view, now)
            self._forgotten_at = now

    def revokes(self, principal: Principal) -> bool:
        """Whether the principal's token is revoked by its id, grant, session, subject or app."""
        if not self.generation:  # no revocation yet
            return False
        view = self._view
        jti, sid = principal.jti, principal.sid
        grant, dot, _ = jti.partition(".")
        # a kind without entries needs no hash
        jtis, grants, sids = view.ids["jti"], view.ids["grant"], view.ids["sid"]
        if jtis and view.key("jti", jti) in jtis:
            return True
        if grants and dot and view.key("grant", grant) in grants:
            return True
        if sids and sid is not None and view.key("sid", sid) in sids:
            return True
        subs, clients = view.before["sub"], view.before["client"]
        if subs:
            found = subs.get(view.key("sub", principal.sub))
            if found is not None and principal.issued_at <= found[0]:
                return True
        if clients:
            found = clients.get(view.key("client", principal.client_id))
            return found is not None and principal.issued_at <= found[0]
        return False


def _empty(salt: str | None) -> _View:
    return _View(salt, {"jti": {}, "grant": {}, "sid": {}}, {"sub": {}, "client": {}})


def _add(view: _View, entry: Entry) -> None:
    id_ = entry.id if view.salt is None else b64url_decode(entry.id)
    if entry.before is None or entry.kind in view.ids:
        ids = view.ids[entry.kind]
        ids[id_] = max(entry.exp, ids.get(id_, 0))
        return
    before = view.before[entry.kind]
    earlier = before.get(id_, (0, 0))
    before[id_] = (max(entry.before, earlier[0]), max(entry.exp, earlier[1]))


def _without_expired(view: _View, now: float) -> _View:
    # Kept for the largest clock skew: a token may be accepted that long after its expiry.
    line = now - 60
    return _View(
        view.salt,
        {kind: {id_: exp for id_, exp in ids.items() if exp >= line} for kind, ids in view.ids.items()},
        {
            kind: {id_: both for id_, both in before.items() if both[1] >= line}
            for kind, before in view.before.items()
        },
    )
