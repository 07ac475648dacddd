"""Calls to apps only at allowed addresses, and metrics."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.request import urlopen

import pytest
import trustme

from doorward.adapters.http_client import BackChannel, allowed
from doorward.adapters.metrics import PrometheusMetrics

pytestmark = pytest.mark.anyio


class App:
    """A small app that records posts and returns the configured answer."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(
            (
                int(line.split(b":")[1])
                for line in head.splitlines()
                if line.lower().startswith(b"content-length")
            ),
            0,
        )
        self.requests.append(head + await reader.readexactly(size))
        writer.write(self.answer)
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()


@asynccontextmanager
async def running(app: App, context: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    server = await asyncio.start_server(app.serve, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()


def certified(name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS contexts: a server's with a certificate of that name, and a client's that trusts its issuer."""
    authority = trustme.CA()
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(server_side)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return server_side, trusting


@pytest.mark.requirement(76)
async def test_a_logout_token_is_posted_as_a_form_over_https() -> None:
    server_side, trusting = certified("127.0.0.1")
    app = App()
    async with running(app, server_side) as port:
        channel = BackChannel(context=trusting)
        assert await channel.post_logout_token(f"https://127.0.0.1:{port}/logout", "a.b.c") is None
        await channel.close()
        distrusting = BackChannel()
        problem = await distrusting.post_logout_token(f"https://127.0.0.1:{port}/logout", "a.b.c")
        assert problem is not None
        assert "its certificate is not trusted" in problem
        await distrusting.close()
    (request,) = app.requests
    assert request.startswith(b"POST /logout HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\nlogout_token=a.b.c")
    assert b"application/x-www-form-urlencoded" in request


async def test_no_logout_token_is_sent_to_a_host_with_a_valid_certificate_of_another() -> None:
    server_side, trusting = certified("app.elsewhere.example")
    app = App()
    async with running(app, server_side) as port:
        channel = BackChannel(context=trusting)
        problem = await channel.post_logout_token(f"https://127.0.0.1:{port}/logout", "a.b.c")
        assert problem is not None
        assert "its certificate is not trusted" in problem
        await channel.close()
    assert app.requests == []


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", None),
        (b"HTTP/1.1 204 No Content\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 100_000, None),
        (
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 6\r\n\r\nsecret",
            "it answered 400: it did not accept the log-out token",
        ),
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", "it answered 202"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "it answered 503"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            "redirects are not followed",
        ),
        (b"nonsense\r\n\r\n", "RemoteProtocolError"),
        (b"", "RemoteProtocolError"),
    ],
)
async def test_the_status_of_the_app_decides_and_redirects_are_not_followed(
    answer: bytes, problem: str | None
) -> None:
    app = App()
    app.answer = answer
    async with running(app) as port:
        channel = BackChannel(development=True)
        said = await channel.post_logout_token(f"http://127.0.0.1:{port}/logout", "t")
        await channel.close()
    assert len(app.requests) == 1
    if problem is None or said is None:
        assert said == problem
    else:
        assert problem in said
        assert "secret" not in said, "an app's answer may contain anything"


async def test_an_unreachable_app_is_reported_by_kind_of_fault(free_port: int) -> None:
    channel = BackChannel(development=True)
    said = await channel.post_logout_token(f"http://127.0.0.1:{free_port}/logout", "t")
    await channel.close()
    assert said is not None
    assert "ConnectError" in said


@pytest.mark.parametrize(
    ("url", "in_production", "in_development"),
    [
        ("https://app.example.com/x", True, True),
        ("http://app.example.com/x", False, False),
        ("http://127.0.0.1:5000/x", False, True),
        ("http://localhost:5000/x", False, True),
        ("http://localhost.evil.example/x", False, False),
        ("https://u@app.example.com/x", False, False),
        ("file:///etc/passwd", False, False),
        ("https:///x", False, False),
        ("http://[", False, False),
    ],
)
def test_only_https_is_allowed_and_local_http_in_development(
    url: str, in_production: bool, in_development: bool
) -> None:
    assert allowed(url, development=False) is in_production
    assert allowed(url, development=True) is in_development


def test_counts_are_shown_by_name_and_kind() -> None:
    metrics = PrometheusMetrics()
    metrics.inc("refreshes", "rotated")
    metrics.inc("refreshes", "rotated")
    metrics.inc("refreshes", "replayed")
    metrics.inc("unforeseen_errors")
    text = metrics.page().decode()
    assert 'doorward_refreshes_total{kind="rotated"} 2.0' in text
    assert 'doorward_refreshes_total{kind="replayed"} 1.0' in text
    assert 'doorward_unforeseen_errors_total{kind=""} 1.0' in text
    assert "process_resident_memory_bytes" in text


def test_labels_chosen_by_an_attacker_cannot_fill_the_memory() -> None:
    metrics = PrometheusMetrics()
    for number in range(1000):
        metrics.inc("refusals", f"made-up-{number}")
    lines = [
        line for line in metrics.page().decode().splitlines() if line.startswith("doorward_refusals_total{")
    ]
    assert len(lines) <= 201
    assert 'doorward_refusals_total{kind="other"} 800.0' in lines


async def test_metrics_are_served_on_a_separate_port(free_port: int) -> None:
    metrics = PrometheusMetrics()
    metrics.inc("mails", "sent")
    stop = metrics.serve("127.0.0.1", free_port)
    try:
        body = await asyncio.to_thread(lambda: urlopen(f"http://127.0.0.1:{free_port}/metrics").read())
        assert b'doorward_mails_total{kind="sent"} 1.0' in body
    finally:
        await asyncio.to_thread(stop)
