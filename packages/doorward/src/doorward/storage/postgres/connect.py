"""Connection setup for one or several servers: selects the one that accepts writes, and does not wait for a dead one."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import Any, cast, final
from urllib.parse import parse_qsl

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - it has none

from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.postgres.pool import Connection
from doorward.storage.postgres.socket import keep_watch
from doorward.storage.postgres.url import asks_for_role, each_host
from doorward.storage.postgres.url_words import UrlParameters, understood, with_words

# Seconds without an answer from one server after which the next is tried in parallel.
_STAGGER_SECONDS = 0.3
# The server's own limit gives a better error message than ours: it names the statement. Ours is for a server that
# hangs.
_GRACE_SECONDS = 2.0


@final
class Connector:
    """Connects to the servers of one URL, beginning with the one that answered last."""

    def __init__(self, url: str, options: PostgresOptions) -> None:
        words = understood(url)
        chosen = with_words(options, words)
        self._servers = list(each_host(words.url))
        self._arguments = _arguments(words, chosen)
        self._patience = chosen.connect_timeout

    async def connect(self) -> Connection:
        """A new connection. Raises asyncpg's error for the first server tried when none accepts the connection."""
        servers = list(self._servers)
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


def _arguments(words: UrlParameters, options: PostgresOptions) -> dict[str, Any]:
    limit = options.statement_timeout
    arguments: dict[str, Any] = {
        "timeout": options.connect_timeout,
        "command_timeout": limit + _GRACE_SECONDS,
        "statement_cache_size": 512 if options.prepared_statements else 0,
        "max_cached_statement_lifetime": 0,
    }
    if not asks_for_role(words.url):
        # a standby may return old data, and accepts no writes
        arguments["target_session_attrs"] = "read-write"
    if options.prepared_statements:
        # settings in the URL take precedence
        ours = _session(limit).items()
        arguments["server_settings"] = {name: value for name, value in ours if name not in words.settings}
    if words.system_roots:
        arguments["ssl"] = _system_roots(words.url)
    return arguments


def _system_roots(url: str) -> ssl.SSLContext:
    """`sslrootcert=system` of libpq: this machine's trusted authorities (or those of SSL_CERT_FILE), and the host's own
    name. The client library would take "system" for a file name. Raises OSError for a certificate that cannot be read.
    """
    given = dict(parse_qsl(url.partition("?")[2]))
    context = ssl.create_default_context()
    # PostgreSQL 17 requires it for direct TLS (sslnegotiation=direct)
    context.set_alpn_protocols(["postgresql"])
    if "sslcert" in given:
        context.load_cert_chain(given["sslcert"], given.get("sslkey"), given.get("sslpassword", ""))
    if "sslcrl" in given:
        context.load_verify_locations(given["sslcrl"])
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    for word, end in (
        ("ssl_min_protocol_version", "minimum_version"),
        ("ssl_max_protocol_version", "maximum_version"),
    ):
        if word in given:
            setattr(context, end, ssl.TLSVersion[given[word].replace(".", "_")])
    return context


def _session(limit: float) -> dict[str, str]:
    """Server settings for our connections. A pooler would pass them on to other clients, or refuse them: then they must
    be set on the role (`ALTER ROLE … SET`)."""
    return {
        "application_name": "doorward",
        "statement_timeout": str(round(limit * 1000)),
        # a process that disappears silently must not keep its rows locked
        "idle_in_transaction_session_timeout": str(round(limit * 1000)),
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        # statements here take microseconds: compiling one takes longer than running it
        "jit": "off",
    }
