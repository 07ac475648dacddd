"""Tests of what the router reads from a request's connection: its peer, and whether the server is full."""

from __future__ import annotations

import msgspec
import pytest

from doorward.web.http import Request, Response, json_response
from doorward.web.route import machine
from doorward.web.router import NO_ROOM
from tests.web.test_router import app, ask

pytestmark = pytest.mark.anyio


async def who(request: Request) -> Response:
    return json_response({"address": request.client_address})


@pytest.mark.requirement(81)
async def test_a_unix_socket_peer_is_trusted_and_a_disconnected_client_is_not() -> None:
    handlers = app([machine("/who", "GET", who)])
    headers = [("x-forwarded-for", "203.0.113.9")]

    async def seen(server: tuple[str, int | None]) -> str:
        sent = await ask(handlers, headers=headers, peer=None, server=server)
        return msgspec.json.decode(sent[1]["body"])["address"]

    assert await seen(("/run/doorward.sock", None)) == "203.0.113.9"
    assert await seen(("192.0.2.8", 443)) == ""


async def test_a_connection_beyond_the_limit_gets_retry_after_while_the_server_is_full() -> None:
    handlers = app([machine(path, "GET", who) for path in ("/who", "/healthz", "/readyz")])
    full = (await ask(handlers, state={NO_ROOM: lambda: True}))[0]
    headers = dict(full["headers"])
    assert (full["status"], headers[b"retry-after"], headers[b"connection"]) == (503, b"2", b"close")
    assert (await ask(handlers, state={NO_ROOM: lambda: False}))[0]["status"] == 200
    for path in ("/healthz", "/readyz"):
        assert (await ask(handlers, path, state={NO_ROOM: lambda: True}))[0]["status"] == 200
