"""The cache behind `valkeys://` must prove its host name.

docs/incidents/0002-a-cache-that-anybody-could-be.md
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from doorward.adapters.no_metrics import NoMetrics
from doorward.adapters.valkey.connection import CacheAway, ValkeyLink
from tests.both_ways import both_ways
from tests.valkey import ValkeyServer, valkey_server

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def in_front_of(server: ValkeyServer, context: ssl.SSLContext) -> AsyncGenerator[int]:
    """TLS in front of a real server; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", server.port)
        await both_ways(reader, writer, far_reader, far_writer)

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()


@pytest.mark.parametrize("scheme", ["valkeys", "rediss"])
@pytest.mark.parametrize(
    ("name", "words", "good"),
    [
        ("127.0.0.1", "", True),
        ("cache.elsewhere.example", "", False),
        ("cache.elsewhere.example", "&ssl_cert_reqs=optional", False),
        # the setting that turns verification off
        ("cache.elsewhere.example", "&ssl_cert_reqs=none", True),
    ],
)
async def test_the_certificate_must_match_the_host_of_the_url(
    tmp_path: Path, scheme: str, name: str, words: str, good: bool
) -> None:
    authority = trustme.CA()
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(trusted)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    with valkey_server() as server:
        async with in_front_of(server, context) as port:
            link = ValkeyLink(
                f"{scheme}://127.0.0.1:{port}/0?ssl_ca_certs={trusted}{words}",
                metrics=NoMetrics(),
                longest=10,
            )
            try:
                if good:
                    assert await link.do("PING") in {True, "PONG"}
                else:
                    with pytest.raises(CacheAway):
                        await link.do("PING")
            finally:
                await link.close()


async def test_without_tls_no_certificate_is_checked() -> None:
    with valkey_server() as server:
        link = ValkeyLink(server.url, metrics=NoMetrics(), longest=10)
        assert await link.do("PING") in {True, "PONG"}
        await link.close()
