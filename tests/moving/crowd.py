"""Many accounts in a database: people with sessions, factors, consents, grants and valid refresh tokens, so that any of them can
continue after the database has moved. They share password hashes, since hashing would take most of the time.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.audit import AuditEvent
from doorward.core.model.digest import digest
from doorward.core.model.grant import Grant, RefreshToken
from doorward.core.model.session import Consent, Session
from doorward.features.oauth.tokens.rules import refresh_format as text
from doorward.storage.sql.statements import write
from doorward.storage.sql.store import Store, Write
from doorward.storage.sqlite.database import open_sqlite
from tests.storage import samples
from tests.storage.samples_keys import api_key

DAY = 86_400
BATCH = 200


REMEMBERED = (
    "INSERT INTO remembered_devices (id, account_id, secret_hash, previous_hash, rotated_at, name, user_agent, address, factors_mark,"
    " created_at, used_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
STRONG = 5
"""Every fifth person has a passkey, a code on its way, a demand, a device that is remembered, and an API key."""


class Crowd(Struct, frozen=True):
    """The people of a database. All data of a person follows from their number."""

    client_id: str
    audience: str
    password_hash: str
    now: int

    def email(self, number: int) -> str:
        """Their address."""
        return f"person{number}@example.net"

    def id(self, number: int) -> str:
        """The end of all their ids; out of order, as ids made on several machines are."""
        return hashlib.sha256(b"%d" % number).hexdigest()[:32]

    def refresh_token(self, number: int) -> str:
        """The refresh token that their app holds."""
        return text.first(
            f"grt_{self.id(number)}", self._random("family", number, 22), self._random("one", number, 43)
        )

    def values(self, number: int) -> tuple[Any, ...]:
        """Everything about one person, in the order of writing."""
        id_, now = self.id(number), self.now
        raw = self.refresh_token(number)
        presented = text.read(raw)
        assert presented is not None
        account = Account(
            f"usr_{id_}", self.email(number), now - 100 * DAY, f"Person {number}", "de" if number % 3 else None,
            self.password_hash, now - 50 * DAY, None, ("customer",),
        )  # fmt: skip
        session = Session(
            id=f"ses_{id_}", secret_hash=digest(f"session {number}"), account_id=account.id, created_at=now - 60,
            seen_at=now - 30, auth_time=now - 60, expires_at=now + 30 * DAY, acr="urn:doorward:aal1", amr=("pwd",),
            user_agent="Firefox", address="192.0.2.1",
        )  # fmt: skip
        grant = Grant(
            id=f"grt_{id_}", client_id=self.client_id, account_id=account.id, audience=self.audience,
            scopes=("openid", "offline_access", "orders:read"), created_at=now - 60, expires_at=now + 30 * DAY,
            auth_time=now - 60, acr="urn:doorward:aal1", amr=("pwd",), session_id=session.id, offline=True,
        )  # fmt: skip
        token = RefreshToken(
            grant_id=grant.id, family_hash=presented.family_hash, generation=1, hash=presented.hash,
            created_at=now - 60, expires_at=now + 30 * DAY,
        )  # fmt: skip
        codes = [
            EnrolledFactor(
                f"fac_{id_}{n}", account.id, "recovery_code", now, code_hash=digest(f"code {number} {n}")
            )
            for n in range(2)
        ]
        events = [
            AuditEvent(
                id=f"aud_{number:08x}{n}{id_[:20]}", at=now, kind="sign_in.succeeded", account_id=account.id,
                session_id=session.id, address="192.0.2.1", user_agent="Firefox ✓", detail={"n": n},
            )
            for n in range(2)
        ]  # fmt: skip
        consent = Consent(account.id, self.client_id, self.audience, grant.scopes, now)
        return (account, *codes, session, consent, grant, token, *events)

    def _random(self, what: str, number: int, size: int) -> str:
        return hashlib.sha256(f"{what} {number}".encode()).hexdigest()[:size].ljust(size, "0")


def strong(store: Store, crowd: Crowd, number: int) -> list[Write]:
    """The rows of further second factors of a person."""
    id_, now = crowd.id(number), crowd.now
    account_id, factor_id = f"usr_{id_}", f"fac_{id_}k"
    row = EnrolledFactor(factor_id, account_id, "passkey", now)
    passkey = samples.passkey(
        factor_id=factor_id, account_id=account_id, credential_id=b"\x00\xff" + id_.encode() * 30
    )
    code = samples.sent_code(id_, account_id=account_id, factor_id=factor_id, target=b"\x00\xff")
    device = (
        f"dev_{id_}", account_id, digest(f"device {number}"), digest(f"former {number}"), now, "Désk", "Firefox ✓", "192.0.2.1",
        "mark", now, now, now + DAY,
    )  # fmt: skip
    return [
        store.accounts.add_factor(row),
        store.passkeys.insert(passkey),
        store.sent_codes.insert(code),
        store.factor_demands.asked(account_id, now),
        store.factor_failures.add((factor_id,), known=True),
        write(REMEMBERED, *device),
        store.api_keys.insert(
            api_key(id_, account_id=account_id, name="Désk ✓", expires_at=now + DAY), most=1, now=now
        ),
    ]


async def settle(store: Store, crowd: Crowd, first: int, last: int) -> None:
    """Write the people from `first` up to `last`, without the last."""
    pending: list[Write] = []
    for number in range(first, last):
        account, code, other, session, consent, grant, token, *events = crowd.values(number)
        pending += [
            store.accounts.insert(account),
            store.accounts.add_factor(code),
            store.accounts.add_factor(other),
            store.sessions.insert(session),
            store.sessions.put_consent(consent),
            store.grants.insert(grant),
            store.grants.insert_refresh(token),
            *(store.audit.append(event) for event in events),
            *(strong(store, crowd, number) if number % STRONG == 0 else ()),
        ]
        if number % BATCH == BATCH - 1 or number == last - 1:
            assert await store.commit(*pending)
            pending = []


def crowd(
    client_id: str = "app_shop", audience: str = "https://api.example", password_hash: str = "$argon2id$1"
) -> Crowd:
    """A crowd that is present now."""
    return Crowd(client_id, audience, password_hash, int(time.time()))


@asynccontextmanager
async def sqlite_store(path: Path) -> AsyncGenerator[Store]:
    """The store in a file, closed at the end."""
    store = await open_sqlite(path)
    try:
        yield store
    finally:
        await store.close()


def fill(path: Path, some: Crowd, people: int, *, first: int = 0) -> None:
    """A file with so many people, or with those from `first` in addition."""

    async def run() -> None:
        async with sqlite_store(path) as store:
            await settle(store, some, first, people)

    asyncio.run(run())
