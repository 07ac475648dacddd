"""How is a connection made, and to which of several servers? To the one that takes writes, without waiting for one that is gone."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, cast, final

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - it has none

from doorward.stores.sql.postgres_options import PostgresOptions
from doorward.stores.sql.postgres_pool import Connection
from doorward.stores.sql.postgres_socket import keep_watch
from doorward.stores.sql.postgres_url import asks_for_role, each_host

# How long one server may be silent before the next is asked beside it.
_STAGGER_SECONDS = 0.3
# What the server's own limit answers is better than ours: it says what it was doing. Ours is for a server that hangs.
_GRACE_SECONDS = 2.0


@final
class Connector:
    """Connects to the servers of one URL. The server that answered last is asked first."""

    def __init__(self, url: str, options: PostgresOptions) -> None:
        self._servers = list(each_host(url))
        self._arguments = _arguments(url, options)
        self._patience = options.connect_timeout

    async def __call__(self) -> Connection:
        """A new connection. Raises what asyncpg raises: of the server that was asked first, when none takes us."""
        servers = list(self._servers)
        if len(servers) == 1:
            # a task: asyncpg asks for its own, and a hot request is none before its first wait (`web/direct.py`)
            return await asyncio.create_task(self._one(servers[0]))
        asked: dict[asyncio.Task[Connection], str] = {}
        first: Exception | None = None
        try:
            while servers or asked:
                if servers:
                    server = servers.pop(0)
                    asked[asyncio.create_task(self._one(server))] = server
                done, _ = await asyncio.wait(
                    asked, timeout=_STAGGER_SECONDS if servers else None, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    server = asked.pop(task)
                    problem = task.exception()
                    if problem is None:
                        self._prefer(server)
                        return task.result()
                    if not isinstance(problem, Exception):
                        raise problem
                    first = first or problem
            raise first or OSError("the URL names no server")
        finally:
            for task in asked:
                task.add_done_callback(_unwanted)
                task.cancel()

    async def _one(self, server: str) -> Connection:
        connection = await cast("Any", asyncpg).connect(server, **self._arguments)
        keep_watch(connection, self._patience)
        return cast("Connection", connection)

    def _prefer(self, server: str) -> None:
        self._servers.remove(server)
        self._servers.insert(0, server)


def _unwanted(task: asyncio.Task[Connection]) -> None:
    if not task.cancelled() and task.exception() is None:
        with suppress(RuntimeError):
            task.result().terminate()


def _arguments(url: str, options: PostgresOptions) -> dict[str, Any]:
    limit = options.statement_timeout
    arguments: dict[str, Any] = {
        "timeout": options.connect_timeout,
        "command_timeout": limit + _GRACE_SECONDS,
        "statement_cache_size": 512 if options.prepared_statements else 0,
        "max_cached_statement_lifetime": 0,
    }
    if not asks_for_role(url):
        # a standby answers with what was true a moment ago, and takes no writes
        arguments["target_session_attrs"] = "read-write"
    if options.prepared_statements:
        arguments["server_settings"] = _session(limit)
    return arguments


def _session(limit: float) -> dict[str, str]:
    """What the server keeps to on our connections. A pooler would hand it on to strangers, or refuse it: then it belongs to the
    role (`ALTER ROLE … SET`)."""
    return {
        "application_name": "doorward",
        "statement_timeout": str(round(limit * 1000)),
        # a process that is gone without a word must not keep its rows locked
        "idle_in_transaction_session_timeout": str(round(limit * 1000)),
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        # statements here take microseconds: compiling one takes longer than running it
        "jit": "off",
    }
