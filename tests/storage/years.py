"""PostgreSQL database with a controlled date, and an audit log that grows and is trimmed over time.

The database's `now()` is a function of the tests, which precedes PostgreSQL's in the search path.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from doorward.adapters.random import SystemRandom
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store
from tests.postgres import Databases
from tests.storage.samples import DAY, event

KEEP = 400 * DAY
BEGAN = datetime(2021, 10, 20, 12, tzinfo=UTC)
_FAKED = """
CREATE SCHEMA faked;
CREATE TABLE faked.clock (at timestamptz NOT NULL);
INSERT INTO faked.clock VALUES ('{at}');
CREATE FUNCTION faked.now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM faked.clock';
GRANT USAGE ON SCHEMA faked TO PUBLIC;
GRANT SELECT ON faked.clock TO PUBLIC;
ALTER DATABASE {name} SET search_path = public, faked, pg_catalog
"""
_PARTS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit'::regclass ORDER BY 1"


class Years:
    """A database with a controlled date."""

    def __init__(self, url: str, shell: Any) -> None:
        self.url = url
        self.shell = shell
        self.at = BEGAN

    @property
    def now(self) -> int:
        """Seconds, as from a server's clock."""
        return int(self.at.timestamp())

    async def turn(self, to: datetime) -> None:
        self.at = to
        await self.shell.execute("UPDATE faked.clock SET at = $1", to)

    async def parts(self) -> list[str]:
        return [row[0] for row in await self.shell.fetch(_PARTS)]

    async def months(self) -> list[str]:
        return [name for name in await self.parts() if name not in {"audit_before", "audit_later"}]

    async def written(self, store: Store, at: datetime | None = None) -> str:
        """Write a line at that moment."""
        when = at or self.at
        line = SystemRandom(when.timestamp).new_id("aud")
        assert await store.commit(store.audit.append(event(id=line, at=int(when.timestamp()))))
        return line

    async def home(self, line: str) -> str:
        return await self.shell.fetchval("SELECT tableoid::regclass::text FROM audit WHERE id = $1", line)

    async def upkeep(self, store: Store, keep: int = KEEP) -> int:
        """The periodic maintenance of the audit log by a server; returns the number of removed lines."""
        await store.sweep(self.now)
        went = 0
        while gone := await store.audit.prune(self.now, keep):
            went += gone
        return went


@asynccontextmanager
async def server(url: str) -> AsyncGenerator[Store]:
    store = await open_store(url)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def turned(postgres: Databases, url: str) -> AsyncGenerator[Years]:
    """An empty database at `BEGAN`."""
    name = urlsplit(url).path.lstrip("/")
    postgres.query(_FAKED.format(at=BEGAN.isoformat(), name=name), url)
    connection = await asyncpg.connect(url)
    try:
        yield Years(url, connection)
    finally:
        await connection.close()
