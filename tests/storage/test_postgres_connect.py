"""Connecting to one of several servers: the writable one is found quickly, and errors do not show the password."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import pytest

from doorward.core.errors import StoreUnavailable
from doorward.storage.postgres.connect import Connector
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.postgres.url import DatabaseUrl
from doorward.storage.sql.open import open_store
from tests.ports import free_port
from tests.postgres import Databases
from tests.waiting import keeps_async

pytestmark = pytest.mark.anyio
MIGRATED = False


def at(url: str, *hosts: str) -> str:
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}{','.join(hosts)}"))


def closed_port() -> str:
    return f"127.0.0.1:{free_port()}"


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """Accepts connections and sends nothing, as a machine that hangs."""
    held: list[asyncio.StreamWriter] = []

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in held:
            writer.transport.abort()


async def test_a_dead_or_hanging_server_is_skipped(postgres_url: str) -> None:
    there = urlsplit(postgres_url).netloc.rpartition("@")[2]
    async with silent_server() as silent:
        connect = Connector(at(postgres_url, closed_port(), silent, there), PostgresOptions())
        began = asyncio.get_running_loop().time()
        first = await connect.connect()
        took = asyncio.get_running_loop().time() - began
        assert 0.2 < took < 3

        # the server that answered is tried first from now on
        async def again() -> float:
            began = asyncio.get_running_loop().time()
            (await connect.connect()).terminate()
            return asyncio.get_running_loop().time() - began

        await keeps_async(0.25, again)
        first.terminate()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own limits are Linux's")
async def test_tcp_settings_detect_a_lost_server(postgres_url: str) -> None:
    connection = await Connector(postgres_url, PostgresOptions(connect_timeout=4)).connect()
    line = connection._transport.get_extra_info("socket")  # pyright: ignore[reportAttributeAccessIssue]
    assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 4000
    probes = [socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT]
    assert [line.getsockopt(socket.IPPROTO_TCP, option) for option in probes] == [1, 1, 3]
    # and the connection still works
    assert [row[0] for row in await connection.fetch("SELECT 1")] == [1]
    connection.terminate()


async def test_a_read_only_server_is_skipped(postgres: Databases, postgres_url: str) -> None:
    """A database that refuses writes replaces a standby here."""
    name = urlsplit(postgres_url).path[1:]
    postgres.query(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(StoreUnavailable) as caught:
        await open_store(postgres_url, postgres=PostgresOptions(connect_timeout=2))
    assert "cannot be opened" in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [PostgresOptions(connect_timeout=1), PostgresOptions(connect_timeout=1, prepared_statements=False)],
)
async def test_an_unreachable_server_is_reported_without_the_password(
    postgres_url: str, options: PostgresOptions
) -> None:
    there = urlsplit(postgres_url).netloc.rpartition("@")[2]
    async with silent_server() as silent:
        for url in (
            f"postgresql://me:sesame@{closed_port()}/people",
            f"postgresql://me:sesame@{silent}/people",
            f"postgresql://me:sesame@{closed_port()},{silent}/people",
            f"postgresql://me:sesame@{there}/people",
            f"postgresql://doorward:sesame@{there}/no_such_database",
        ):
            with pytest.raises(StoreUnavailable) as caught:
                await open_store(DatabaseUrl(url), postgres=options)
            told = f"{caught.value} {caught.value!r} {caught.value.__cause__} {caught.value.__cause__!r}"
            assert "sesame" not in told
            assert "***" in told


async def test_a_database_with_another_encoding_is_refused_with_a_message(postgres: Databases) -> None:
    url = postgres.create()
    name = f"{urlsplit(url).path[1:]}_latin"
    postgres.query(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    latin = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    with pytest.raises(StoreUnavailable, match=r"encoding LATIN1.*createdb --encoding=UTF8"):
        await open_store(latin)
    postgres.drop(latin)
    postgres.drop(url)


async def test_a_role_without_create_privilege_gets_a_clear_error(
    postgres: Databases, postgres_url: str
) -> None:
    role = f"guest_{urlsplit(postgres_url).path[1:]}"
    postgres.query(f"CREATE ROLE {role} LOGIN")
    parts = urlsplit(postgres_url)
    there = parts.netloc.rpartition("@")[2]
    with pytest.raises(StoreUnavailable, match="permission denied for schema public"):
        await open_store(urlunsplit(parts._replace(netloc=f"{role}@{there}")))
    postgres.query(f"DROP ROLE {role}")
