"""Comparison of responses and connection lifetime with limits and under uvicorn's own protocol class."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from tests.waiting import PATIENCE
from tests.web.socket_server import Running, Seen, app_of, read_answer, serve, talk


@pytest.fixture
def plain() -> Iterator[Running]:
    yield from serve("httptools")


REQUESTS = {
    "get": b"GET /echo?x=1 HTTP/1.1\r\nhost: h\r\n\r\n",
    "post": b"POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello",
    "chunked": b"POST /echo HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    "head": b"HEAD /echo HTTP/1.1\r\nhost: h\r\n\r\n",
    "escaped path": b"GET /a%20b HTTP/1.1\r\nhost: h\r\n\r\n",
    "unknown path": b"GET /nothing HTTP/1.1\r\nhost: h\r\naccept: text/html\r\n\r\n",
    "wrong method": b"DELETE /echo HTTP/1.1\r\nhost: h\r\n\r\n",
    "too large": b"POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: 70000\r\n\r\n" + b"x" * 70_000,
    "waits": b"POST /waiting HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello",
    "fails": b"GET /failing HTTP/1.1\r\nhost: h\r\n\r\n",
    "empty": b"GET /empty HTTP/1.1\r\nhost: h\r\n\r\n",
    "http 1.0": b"GET /echo HTTP/1.0\r\n\r\n",
    "close": b"GET /echo HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_the_limits_change_no_response(limited: Running, plain: Running, name: str) -> None:
    ours = talk(limited.port, REQUESTS[name])[0]
    theirs = talk(plain.port, REQUESTS[name])[0]
    assert ours[0] == theirs[0]
    # the text of an unexpected error contains the request number
    assert ours[2] == theirs[2]
    assert {**ours[1], "date": ""} == {**theirs[1], "date": ""}


@pytest.mark.parametrize("end", [b"line", b"feed", b"nul"])
def test_a_header_never_begins_another_one(limited: Running, end: bytes) -> None:
    """An answer that is written as a whole is checked as uvicorn checks its own, which then closes the connection (response splitting)."""
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        connection.sendall(b"GET /splitting?" + end + b" HTTP/1.1\r\nhost: h\r\n\r\n")
        assert connection.makefile("rb").read() == b""


def test_the_limits_only_use_names_that_uvicorn_has() -> None:
    """The names that `web/connection_limits.py` lists: uvicorn documents none of them."""
    app: Any = app_of(Seen())
    loop = asyncio.new_event_loop()
    theirs = HttpToolsProtocol(uvicorn.Config(app, log_config=None), ServerState(), {}, loop)
    loop.close()
    theirs.on_message_begin()
    used = {"parser", "url", "headers", "connections", "limit_concurrency", "server_state", "pipeline"}
    assert used <= vars(theirs).keys()
    assert {"on_response_complete", "_start_asgi_task"} <= vars(HttpToolsProtocol).keys()
    of_a_cycle = {
        "keep_alive",
        "disconnected",
        "response_started",
        "response_complete",
        "message_event",
        "default_headers",
        "on_response",
        "more_body",
        "body",
        "waiting_for_100_continue",
    }
    assert of_a_cycle <= set(RequestResponseCycle.__init__.__code__.co_names)


def test_one_connection_serves_many_requests(limited: Running) -> None:
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        reader = connection.makefile("rb")
        for _ in range(50):
            connection.sendall(REQUESTS["post"])
            assert read_answer(reader)[0] == 200
            connection.sendall(REQUESTS["waits"])
            assert read_answer(reader)[2] == b"hello"


def test_pipelined_requests_are_answered_in_their_order(limited: Running) -> None:
    sent = (
        REQUESTS["waits"] + REQUESTS["get"] + REQUESTS["waits"].replace(b"hello", b"later") + REQUESTS["post"]
    )
    answers = talk(limited.port, sent, answers=4)
    assert [answer[0] for answer in answers] == [200, 200, 200, 200]
    assert answers[0][2] == b"hello"
    assert b'"method":"GET"' in answers[1][2]
    assert answers[2][2] == b"later"
    assert b'"size":5' in answers[3][2]


def test_a_body_in_many_pieces_is_joined(limited: Running) -> None:
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        reader = connection.makefile("rb")
        for piece in (
            b"POST /echo HTT",
            b"P/1.1\r\nhost: h\r\nconte",
            b"nt-length: 6\r\n\r\nab",
            b"cd",
            b"ef",
        ):
            connection.sendall(piece)
            threading.Event().wait(0.02)
        assert b'"size":6' in read_answer(reader)[2]


def test_a_client_that_expects_100_continue_gets_it(limited: Running) -> None:
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        reader = connection.makefile("rb")
        connection.sendall(
            b"POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n"
        )
        assert read_answer(reader)[0] == 100
        connection.sendall(b"hello")
        assert read_answer(reader)[0] == 200


def test_invalid_http_gets_400_and_the_connection_ends(limited: Running) -> None:
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        connection.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        received = connection.makefile("rb").read()
        assert received.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        b"GET /echo HTTP/1.1\r\nhost: h\r\nbad header: x\r\n\r\n",
    ],
    ids=["two lengths of the body", "content-length twice", "a space in a header name"],
)
def test_a_message_that_two_servers_could_read_differently_is_refused(limited: Running, sent: bytes) -> None:
    """Request smuggling needs a message that proxy and server split at different places (RFC 9112 §11.2)."""
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        connection.sendall(sent)
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 400")


def test_a_disconnected_client_does_not_affect_others(limited: Running) -> None:
    gone = socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE)
    gone.sendall(b"GET /held HTTP/1.1\r\nhost: h\r\n\r\n")
    threading.Event().wait(0.05)
    gone.close()
    limited.seen.release.set()
    assert limited.seen.finished.wait(PATIENCE)
    assert talk(limited.port, REQUESTS["get"])[0][0] == 200


def test_a_request_in_progress_is_answered_before_the_server_stops(limited: Running) -> None:
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        connection.sendall(b"GET /held HTTP/1.1\r\nhost: h\r\n\r\n")
        threading.Event().wait(0.05)
        limited.server.should_exit = True
        threading.Event().wait(0.2)
        limited.seen.release.set()
        status, headers, body = read_answer(connection.makefile("rb"))
        assert (status, body) == (200, b'{"held":true}')
        assert headers["connection"] == "close"
    limited.thread.join(PATIENCE)
    assert not limited.thread.is_alive()


def test_no_detail_of_an_unexpected_error_reaches_the_client(limited: Running) -> None:
    status, _, body = talk(limited.port, REQUESTS["fails"])[0]
    assert status == 500
    assert b"not foreseen" not in body
