"""An audit log with its sealer and verifier, on a database of its own, and ways to tamper with it by plain SQL."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import structs

from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.signing import SealedKeyMaker, SnapshotSigner
from doorward.adapters.random import SystemRandom
from doorward.core.model.caller import Caller
from doorward.features.audit.head_reader import HeadReader
from doorward.features.audit.sealer import AuditSealer
from doorward.features.audit.service import AuditLog
from doorward.features.audit.verification import ChainReport, ChainVerifier
from doorward.storage.postgres.database import PostgresDatabase
from doorward.storage.sql.open import open_store
from doorward.storage.sql.statements import write
from doorward.storage.sql.store import Store
from tests.manual_clock import ManualClock

ISSUER = "https://auth.example.com"
SEALER = KeyedSealer(b"k" * 32)
CALLER = Caller("203.0.113.7", "Firefox on a laptop", "req-1")
KEY = structs.replace(SealedKeyMaker(SEALER).make("key_audit", "ES256", 0), state="current")


@dataclass
class Chained:
    """One process's services for the log. Several may share a database."""

    store: Store
    clock: ManualClock
    log: AuditLog
    sealer: AuditSealer
    verifier: ChainVerifier
    signer: SnapshotSigner

    async def write(
        self, number: int, *, account: str | None = "usr_ada", kind: str = "sign_in.succeeded"
    ) -> None:
        """So many lines of one account, each in a commit of its own."""
        for one in range(number):
            line = self.log.write(
                kind, caller=CALLER, now=self.clock.now(), account_id=account, count=one, subject=f"Ada {one}"
            )
            assert await self.store.commit(line)

    async def sealed(self, number: int, *, account: str | None = "usr_ada") -> None:
        """The same in one commit for each hundred, sealed."""
        for first in range(0, number, 100):
            lines = [
                self.log.write(
                    "sign_in.succeeded",
                    caller=CALLER,
                    now=self.clock.now(),
                    account_id=account,
                    subject=f"Ada {first + one}",
                )
                for one in range(min(100, number - first))
            ]
            assert await self.store.commit(*lines)
        await self.sealer.catch_up()

    async def head(self) -> str:
        """A head signed now, as the command prints it."""
        head = await self.sealer.sign()
        assert head is not None
        return head.jws

    async def verified(self, *anchors: str) -> ChainReport:
        """The result of the verification, against heads kept elsewhere."""
        return await self.verifier.verify([self.verifier.reader.read(one) for one in anchors])

    async def fault(self, *anchors: str) -> str:
        """What is wrong; nothing: an empty text."""
        found = (await self.verified(*anchors)).fault
        return "" if found is None else f"{found.what} (place {found.seq}, line {found.line})"

    async def run(self, sql: str, *params: Any) -> None:
        """A statement of somebody who may write the database, and has switched the triggers off."""
        if isinstance(self.store._db, PostgresDatabase):
            await self.store._db.all(sql, params)
        else:
            await self.store.commit(write(sql, *params))


def chained(store: Store, clock: ManualClock) -> Chained:
    """The services on a store that stays open."""
    random = SystemRandom()
    signer = SnapshotSigner(issuer=ISSUER, sealer=SEALER)
    signer.install([KEY])
    reader = HeadReader(signer=signer, issuer=ISSUER)
    return Chained(
        store=store,
        clock=clock,
        log=AuditLog(store=store, random=random),
        sealer=AuditSealer(store=store, random=random, clock=clock, signer=signer, reader=reader),
        verifier=ChainVerifier(store=store, reader=reader),
        signer=signer,
    )


@asynccontextmanager
async def opened(database: str | None, folder: Path, *, defenceless: bool = False) -> AsyncGenerator[Chained]:
    """An empty log in this database, or in a file. `defenceless`: without the triggers that refuse changes, as for somebody who owns the
    tables."""
    store = await open_store(database or str(folder / "doorward.db"))
    made = chained(store, ManualClock())
    if defenceless:
        await disarm(made, database)
    try:
        yield made
    finally:
        await store.close()


async def disarm(log: Chained, database: str | None) -> None:
    """Drop the triggers that refuse changes."""
    if database is None:
        await log.run("DROP TRIGGER audit_never_changes")
        await log.run("DROP TRIGGER audit_never_shrinks")
    else:
        await log.run("DROP TRIGGER audit_never_changes ON audit")
