"""Tests of a connection's limits in bytes, number and time: what they end, and what they allow.

docs/incidents/0013-a-request-without-end.md
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import cast

import pytest

from doorward.web.connection_limits import MAX_QUEUED, LimitedProtocol
from tests.waiting import PATIENCE, until
from tests.web.socket_server import Running, read_answer, serve, talk
from tests.web.test_connection_limits import REQUESTS


def closed_within(connection: socket.socket, seconds: float) -> bytes:
    """The bytes that still came before the server closed. Fails when it does not close in time."""
    connection.settimeout(seconds)
    received = b""
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionError:
        pass
    return received


def flooded(port: int, *, head: bytes, piece: bytes, times: int) -> tuple[int, bytes]:
    """Send `head`, then `piece` repeatedly until the server stops reading: the number sent, and the response."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        sent = 0
        try:
            connection.sendall(head)
            for _ in range(times):
                connection.sendall(piece)
                sent += 1
                threading.Event().wait(0.001)
        except OSError:
            pass
        return sent, closed_within(connection, PATIENCE)


FLOODS = {
    "fields": (b"GET /echo HTTP/1.1\r\nhost: h\r\n", b"x: " + b"y" * 1000 + b"\r\n"),
    "short fields": (b"GET /echo HTTP/1.1\r\nhost: h\r\n", b"a:\r\n" * 200),
    "one field": (b"GET /echo HTTP/1.1\r\nhost: h\r\nx: ", b"y" * 1000),
    "the name of a field": (b"GET /echo HTTP/1.1\r\nhost: h\r\n", b"y" * 1000),
    "the address": (b"GET /echo?", b"y" * 1000),
    "fields after the body": (
        b"POST /echo HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n",
        b"x: " + b"y" * 20_000 + b"\r\n",
    ),
    "one field after the body": (
        b"POST /echo HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: ",
        b"y" * 20_000,
    ),
    "the body": (
        b"POST /echo HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n",
        b"4e20\r\n" + b"y" * 20_000 + b"\r\n",
    ),
}


@pytest.mark.parametrize("what", FLOODS)
def test_an_endless_request_does_not_fill_the_memory(limited: Running, what: str) -> None:
    head, piece = FLOODS[what]
    sent, said = flooded(limited.port, head=head, piece=piece, times=600)
    assert sent < 200
    assert said == b"" or said.startswith((b"HTTP/1.1 431", b"HTTP/1.1 413", b"HTTP/1.1 400"))
    assert limited.seen.paths == []
    assert talk(limited.port, REQUESTS["get"])[0][0] == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /echo?" + b"y" * 40_000 + b" HTTP/1.1\r\nhost: h\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nhost: h\r\n" + b"a: b\r\n" * 200 + b"\r\n",
    ],
    ids=["a long address", "many fields"],
)
def test_a_head_that_is_too_large_is_refused_in_one_piece_too(limited: Running, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        connection.sendall(sent)
        assert closed_within(connection, PATIENCE).startswith(b"HTTP/1.1 4")
    assert limited.seen.paths == []


def test_bytes_after_a_body_are_not_read_as_headers(limited: Running) -> None:
    sent = (
        b"POST /echo HTTP/1.1\r\nhost: h\r\nx-forwarded-for: 192.0.2.1\r\ntransfer-encoding: chunked\r\n"
        b"trailer: x-forwarded-for\r\n\r\n1\r\na\r\n0\r\nx-forwarded-for: 203.0.113.9\r\n\r\n"
    )
    status, _, body = talk(limited.port, sent)[0]
    assert status == 200
    assert b'"forwarded":["192.0.2.1"]' in body


class Impatient(LimitedProtocol):
    """A connection with limits short enough for a test."""

    patience = 0.3
    look_every = 0.1


@pytest.fixture
def impatient() -> Iterator[Running]:
    yield from serve(Impatient)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /echo HT",
        b"GET /echo HTTP/1.1\r\nhost: h\r\n",
        b"POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhel",
        b"GET /echo HTTP/1.1\r\nhost: h\r\n\r\n|\r\n",
        b"GET /echo HTTP/1.1\r\nhost: h\r\n\r\nGET /echo",
    ],
    ids=["nothing", "half a line", "half a head", "half a body", "a blank after it", "half of the next"],
)
def test_a_connection_that_sends_no_complete_request_is_closed(impatient: Running, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=PATIENCE) as connection:
        for piece in sent.split(b"|"):
            connection.sendall(piece)
            threading.Event().wait(0.05)
        closed_within(connection, PATIENCE)


def test_one_byte_now_and_then_does_not_keep_a_connection_open(impatient: Running) -> None:
    sent = 0
    with (
        socket.create_connection(("127.0.0.1", impatient.port), timeout=PATIENCE) as connection,
        suppress(OSError),
    ):
        for _ in range(40):
            connection.sendall(b"P")
            sent += 1
            threading.Event().wait(0.1)
    assert sent < 20


def test_no_limit_runs_while_a_client_waits_for_the_server_or_between_requests(impatient: Running) -> None:
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=PATIENCE) as connection:
        reader = connection.makefile("rb")
        connection.sendall(b"GET /held HTTP/1.1\r\nhost: h\r\n\r\n")
        threading.Event().wait(0.8)
        impatient.seen.release.set()
        assert read_answer(reader)[0] == 200
        threading.Event().wait(0.8)
        connection.sendall(REQUESTS["get"])
        assert read_answer(reader)[0] == 200


def test_a_connection_that_rests_too_long_after_an_answer_is_closed(impatient: Running) -> None:
    impatient.server.config.timeout_keep_alive = 0
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=PATIENCE) as connection:
        connection.sendall(REQUESTS["get"])
        answer = closed_within(connection, PATIENCE)
    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.requirement(97)
def test_a_connection_with_too_many_queued_requests_is_closed(limited: Running) -> None:
    """docs/incidents/0050-requests-queued-without-a-bound.md"""
    held = b"GET /held HTTP/1.1\r\nhost: h\r\n\r\n"
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        connection.sendall(held + REQUESTS["get"] * MAX_QUEUED)
        threading.Event().wait(0.1)
        limited.seen.release.set()
        reader = connection.makefile("rb")
        assert [read_answer(reader)[0] for _ in range(1 + MAX_QUEUED)] == [200] * (1 + MAX_QUEUED)
    limited.seen.release.clear()
    limited.seen.paths.clear()
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        connection.sendall(held + REQUESTS["get"] * (MAX_QUEUED + 1))
        # closed without a response: one here would be taken for the response to the first request
        assert closed_within(connection, PATIENCE) == b""
    assert limited.seen.paths == []


@pytest.mark.requirement(97)
def test_parsing_stops_while_too_many_requests_wait(limited: Running) -> None:
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        connection.sendall(b"GET /held HTTP/1.1\r\nhost: h\r\n\r\n")
        until(lambda: bool(limited.server.server_state.connections))
        (protocol,) = cast("set[LimitedProtocol]", limited.server.server_state.connections)
        with suppress(ConnectionError):
            connection.sendall(REQUESTS["get"] * 1000)
        until(lambda: len(protocol.pipeline) > MAX_QUEUED)
        # the requests of one parser step are there, and no more
        assert len(protocol.pipeline) < 3 * MAX_QUEUED + 10
        assert closed_within(connection, PATIENCE) == b""
    assert limited.seen.paths == []


@pytest.mark.requirement(97)
def test_pipelined_requests_are_all_answered_where_none_has_to_wait(limited: Running) -> None:
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        connection.sendall(REQUESTS["get"] * 100)
        reader = connection.makefile("rb")
        assert [read_answer(reader)[0] for _ in range(100)] == [200] * 100


@pytest.mark.requirement(97)
def test_requests_behind_a_slow_one_are_not_read_into_memory(limited: Running) -> None:
    """docs/incidents/0050-requests-queued-without-a-bound.md"""
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        connection.sendall(b"GET /held HTTP/1.1\r\nhost: h\r\n\r\n")
        until(lambda: bool(limited.server.server_state.connections))
        (protocol,) = cast("set[LimitedProtocol]", limited.server.server_state.connections)
        connection.setblocking(False)
        most = 0
        for _ in range(200):
            with suppress(BlockingIOError, ConnectionError):
                connection.send(REQUESTS["get"] * 10_000)
            # as uvicorn does whenever a handler reads the body of its request
            protocol.loop.call_soon_threadsafe(protocol.flow.resume_reading)
            threading.Event().wait(0.005)
            most = max(most, len(protocol.unread))
        # one read of the event loop may be 256 KiB
        assert 0 < most <= 512 * 1024


def test_a_client_that_has_reset_its_connection_is_not_served() -> None:
    """docs/incidents/0054-a-request-without-an-address.md"""
    listener = socket.create_server(("127.0.0.1", 0))
    gone = socket.create_connection(listener.getsockname())
    gone.sendall(REQUESTS["post"])
    gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    gone.close()
    running = serve(LimitedProtocol, listener)
    limited = next(running)
    assert talk(limited.port, REQUESTS["get"])[0][0] == 200
    assert len(limited.seen.paths) == 1
    next(running, None)
