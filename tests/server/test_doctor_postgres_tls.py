"""Tests that the doctor tells an encrypted connection to PostgreSQL from one that also authenticates the host."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from doorward.ops.doctor.checks import postgres as examine_postgres
from doorward.storage.postgres.connect import Connector
from doorward.storage.postgres.options import PostgresOptions
from tests.both_ways import both_ways
from tests.postgres import Databases

pytestmark = pytest.mark.anyio

# SSLRequest of the protocol: its length, then 1234 and 5679 in 16 bits each
_WANTS_TLS = bytes.fromhex("0000000804d2162f")


@asynccontextmanager
async def in_front_of(server: str, context: ssl.SSLContext) -> AsyncGenerator[int]:
    """TLS in front of the real server of a URL, whose own build may lack it; returns the port."""

    far = urlsplit(server)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            assert await reader.readexactly(len(_WANTS_TLS)) == _WANTS_TLS
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(context)
            far_reader, far_writer = await asyncio.open_connection(far.hostname, far.port)
            await both_ways(reader, writer, far_reader, far_writer)

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()


async def said_of(url: str) -> str:
    connection = await Connector(url, PostgresOptions()).connect()
    try:
        return examine_postgres._way(connection).said
    finally:
        connection.terminate()


async def test_a_connection_that_does_not_check_the_host_name_is_reported(
    tmp_path: Path, postgres: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    # treat the server as if it were on another machine
    monkeypatch.setattr(examine_postgres, "loopback", lambda _: False)
    authority = trustme.CA()
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(trusted)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    plain = postgres.base
    assert (await said_of(f"{plain}?sslmode=disable")).startswith("not encrypted all the way")
    async with in_front_of(plain, context) as port:
        parts = urlsplit(plain)
        user = parts.netloc.rpartition("@")[0]
        url = f"postgresql://{user}@127.0.0.1:{port}{parts.path}"
        assert "whoever that is" in await said_of(f"{url}?sslmode=require")
        assert "whoever that is" in await said_of(f"{url}?sslmode=verify-ca&sslrootcert={trusted}")
        named = await said_of(f"{url}?sslmode=verify-full&sslrootcert={trusted}")
        assert named == "encrypted, to the host that the URL names"


async def test_sslmodes_of_hosting_companies_are_checked_against_the_machines_authorities(
    tmp_path: Path, postgres: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examine_postgres, "loopback", lambda _: False)
    authority = trustme.CA()
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(trusted)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with in_front_of(postgres.base, context) as port:
        parts = urlsplit(postgres.base)
        user = parts.netloc.rpartition("@")[0]
        url = f"postgresql://{user}@127.0.0.1:{port}{parts.path}"
        for words in (
            "sslmode=require&channel_binding=require&connect_timeout=9",
            "sslmode=verify-full&sslrootcert=system",
            "sslaccept=strict&pgbouncer=true&connection_limit=1",
        ):
            monkeypatch.delenv("SSL_CERT_FILE", raising=False)
            with pytest.raises(ssl.SSLCertVerificationError):
                await said_of(f"{url}?{words}")
            monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
            assert await said_of(f"{url}?{words}") == "encrypted, to the host that the URL names"
