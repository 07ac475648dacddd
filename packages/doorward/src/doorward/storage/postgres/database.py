"""PostgreSQL engine: one statement for each commit where possible; a missing answer never counts as success.

A connection keeps no state between statements, so that a pooler may stand in between. Failures that certainly wrote
nothing (a serialization failure, a deadlock, a read-only server) are retried here. A commit with unknown outcome raises
`StoreUnavailable`, and the caller's next try finds out.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, final

from doorward.core.errors import StoreUnavailable
from doorward.storage.postgres.batches import Batches
from doorward.storage.postgres.commit import Committer
from doorward.storage.postgres.connect import Connector
from doorward.storage.postgres.errors import DOES_NOT_ANSWER, contended, not_text, unholdable, verdict
from doorward.storage.postgres.history import NONE, history_of
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.postgres.pool import Connection, Pool
from doorward.storage.postgres.remedy import NotOpened, remedy
from doorward.storage.postgres.schema import prepare
from doorward.storage.postgres.text import numbered
from doorward.storage.postgres.url import shown
from doorward.storage.postgres.use import read, storable
from doorward.storage.sql.audit_end import Months, line_by_line
from doorward.storage.sql.migrate import known
from doorward.storage.sql.statements import Param, Query, Row, Step
from doorward.storage.sql.store import Store

_MONTHS = "SELECT doorward_audit_months()"
_TODAY = "SELECT to_regclass('audit_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')) IS NOT NULL"
_TRIES_FOR_TODAY = 5
_DROP = "SELECT doorward_audit_drop(?, ?)"
_TRIM = "SELECT doorward_audit_trim(?, ?, ?)"
_KEPT_FROM = "SELECT doorward_audit_kept_from(?, ?)"
_AT_ONE_MOMENT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


async def open_postgres(url: str, *, migrate: bool = True, options: PostgresOptions | None = None) -> Store:
    """The store in the PostgreSQL database at `url`. `migrate=False` leaves the schema alone: `ready()` then says
    whether it is this program's. Raises `SchemaRefused` for a newer or foreign schema, `StoreUnavailable` when no
    server answers."""
    chosen = options or PostgresOptions()
    where = shown(url)
    connect = Connector(url, chosen).connect
    try:
        connection = await connect()
    except Exception as problem:
        said = f"The database {where} cannot be opened: {verdict(problem, 'said')}"
        raise NotOpened(said, remedy(problem)) from problem
    try:
        engine = await _engine(connection)
        migrations = known(engine)
        await prepare(connection, migrations, migrate, where=where, collate=engine == "postgres")
        history = await history_of(connection) if engine == "postgres" else NONE
        if migrate and engine == "postgres":
            await _today(connection)
    except StoreUnavailable:
        raise
    except Exception as problem:
        raise StoreUnavailable(
            f"The database {where} cannot be used: {verdict(problem, 'said')}"
        ) from problem
    finally:
        connection.terminate()
    # engines differ in what one statement may contain
    committer = Committer(join=engine == "postgres")
    database = PostgresDatabase(connect=connect, options=chosen, committer=committer, history=history)
    if engine != "postgres":
        return Store(database, known=migrations, close=database.close, audit_end=line_by_line)
    months = Months(_DROP, _TRIM, _KEPT_FROM)
    return Store(
        database,
        known=migrations,
        close=database.close,
        upkeep=_MONTHS,
        audit_end=months.remove,
        audit_kept=months.kept_from,
    )


async def _today(connection: Connection) -> None:
    """Make the audit partition of the current month. After months without a running server it is missing, and a first
    line in the default partition would prevent it. So one of the starting processes makes it before that line, and the
    others wait. If that fails, lines are written all the same, and the sweep tries again."""
    with suppress(Exception):
        for _ in range(_TRIES_FOR_TODAY):
            await connection.fetch(_MONTHS)
            if (await connection.fetch(_TODAY))[0][0]:
                return


async def _engine(connection: Connection) -> str:
    """`postgres`, or a compatible engine; the schema then omits what only PostgreSQL has."""
    (version,) = (await connection.fetch("SELECT version()"))[0]
    if "CockroachDB" in version:
        return "cockroach"
    return "yugabyte" if "-YB-" in version else "postgres"


_TRIES = 10
"""Of a statement that others at work on the same rows undo."""


@final
class PostgresDatabase:
    """`Database` on PostgreSQL. One connection pool for each event loop."""

    def __init__(
        self,
        *,
        connect: Callable[[], Awaitable[Connection]],
        options: PostgresOptions,
        committer: Committer,
        history: str,
    ) -> None:
        self.history = history
        self._connect = connect
        self._options = options
        self._committer = committer
        self._pools: dict[asyncio.AbstractEventLoop, Pool] = {}
        self._batches: dict[asyncio.AbstractEventLoop, Batches] = {}
        self._lock = threading.Lock()
        self._commits: set[asyncio.Task[int]] = set()
        self._closed = False

    async def one(self, sql: str, params: tuple[Param, ...]) -> Row | None:
        rows = await self._read(sql, params)
        return tuple(rows[0]) if rows else None

    async def all(self, sql: str, params: tuple[Param, ...]) -> Sequence[Row]:
        return [tuple(row) for row in await self._read(sql, params)]

    async def snapshot(self, *queries: Query) -> Sequence[Sequence[Row]]:
        async def ask(connection: Connection) -> Sequence[Sequence[Row]]:
            await connection.execute(_AT_ONE_MOMENT)
            found = [
                [tuple(row) for row in await connection.fetch(numbered(sql), *params)]
                for sql, params in queries
            ]
            await connection.execute("COMMIT")
            return found

        try:
            return await read(self._pool(), ask)
        except StoreUnavailable:
            raise
        except Exception as problem:
            raise unholdable(problem) or verdict(problem, DOES_NOT_ANSWER) from problem

    async def apply(self, steps: Sequence[Step]) -> int:
        if not steps:
            return 0
        pool = self._pool()
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if self._committer.joins and Batches.takes(steps):
            return await self._batches[asyncio.get_running_loop()].apply(steps)
        return await asyncio.shield(self._start(self._committer.commit(pool, steps)))

    def _start(self, commit: Coroutine[Any, Any, int]) -> asyncio.Task[int]:
        """Run it in a separate task: cancelling the caller does not stop the commit, and `close` waits for it."""
        task = asyncio.get_running_loop().create_task(commit)
        self._commits.add(task)
        task.add_done_callback(self._commits.discard)
        return task

    async def close(self) -> None:
        with self._lock:
            self._closed = True
        here = asyncio.get_running_loop()
        while mine := [task for task in tuple(self._commits) if task.get_loop() is here]:
            await asyncio.wait(mine)
        with self._lock:
            pools, self._pools = self._pools, {}
            self._batches.clear()
        for loop, pool in pools.items():
            if loop is here:
                await pool.close()
            else:
                pool.abandon()

    async def _read(self, sql: str, params: tuple[Param, ...], tries: int = 1) -> list[Any]:
        text = numbered(sql)

        async def ask(connection: Connection) -> list[Any]:
            return await connection.fetch(text, *params)

        try:
            return await read(self._pool(), ask)
        except StoreUnavailable:
            raise
        except Exception as problem:
            if unholdable(problem) is not None:
                return []
            if not_text(problem) and (other := storable(params)) != params:
                return await self._read(sql, other)
            # where all transactions are serializable a statement alone can lose too, such as a function that drops a month
            if contended(problem) and tries < _TRIES:
                return await self._read(sql, params, tries + 1)
            raise verdict(problem, DOES_NOT_ANSWER) from problem

    def _pool(self) -> Pool:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        return self._new_pool(loop) if pool is None else pool

    def _new_pool(self, loop: asyncio.AbstractEventLoop) -> Pool:
        with self._lock:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            for over in [one for one in self._pools if one.is_closed()]:
                self._pools.pop(over).abandon()
                del self._batches[over]
            pool = Pool(self._connect, size=self._options.pool_size, wait=self._options.pool_wait)
            self._pools[loop] = pool
            self._batches[loop] = Batches(self._committer, pool, self._start, wait=self._options.pool_wait)
            return pool
