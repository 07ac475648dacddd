"""Does whatever a stranger sends have an end in bytes, in number and in time, before it costs anything?

docs/incidents/0013-a-request-without-end.md
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from doorward.web.direct import MAX_QUEUED, DirectProtocol
from tests.waiting import PATIENCE
from tests.web.test_direct import REQUESTS, Running, read_answer, serve, talk


@pytest.fixture
def direct() -> Iterator[Running]:
    yield from serve(DirectProtocol)


def closed_within(connection: socket.socket, seconds: float) -> bytes:
    """What still came before the server closed. Fails when it does not close in time."""
    connection.settimeout(seconds)
    received = b""
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionError:
        pass
    return received


def flooded(port: int, *, head: bytes, piece: bytes, times: int) -> tuple[int, bytes]:
    """Send `head`, then `piece` over and over until the server has enough: how many went, and what it said."""
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
def test_nobody_fills_the_memory_with_a_request_without_end(direct: Running, what: str) -> None:
    head, piece = FLOODS[what]
    sent, said = flooded(direct.port, head=head, piece=piece, times=600)
    assert sent < 200
    assert said == b"" or said.startswith((b"HTTP/1.1 431", b"HTTP/1.1 413", b"HTTP/1.1 400"))
    assert direct.seen.paths == []
    assert talk(direct.port, REQUESTS["get"])[0][0] == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /echo?" + b"y" * 40_000 + b" HTTP/1.1\r\nhost: h\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nhost: h\r\n" + b"a: b\r\n" * 200 + b"\r\n",
    ],
    ids=["a long address", "many fields"],
)
def test_a_head_that_is_too_large_is_refused_in_one_piece_too(direct: Running, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", direct.port), timeout=PATIENCE) as connection:
        connection.sendall(sent)
        assert closed_within(connection, PATIENCE).startswith(b"HTTP/1.1 4")
    assert direct.seen.paths == []


def test_what_follows_a_body_is_no_header(direct: Running) -> None:
    sent = (
        b"POST /echo HTTP/1.1\r\nhost: h\r\nx-forwarded-for: 192.0.2.1\r\ntransfer-encoding: chunked\r\n"
        b"trailer: x-forwarded-for\r\n\r\n1\r\na\r\n0\r\nx-forwarded-for: 203.0.113.9\r\n\r\n"
    )
    status, _, body = talk(direct.port, sent)[0]
    assert status == 200
    assert b'"forwarded":["192.0.2.1"]' in body


class Impatient(DirectProtocol):
    """Waits for as long as a test can."""

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
def test_a_connection_that_sends_no_whole_request_is_closed(impatient: Running, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=PATIENCE) as connection:
        for piece in sent.split(b"|"):
            connection.sendall(piece)
            threading.Event().wait(0.05)
        closed_within(connection, PATIENCE)


def test_one_byte_now_and_then_does_not_hold_a_connection(impatient: Running) -> None:
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


def test_patience_is_not_asked_of_who_waits_for_us_or_between_requests(impatient: Running) -> None:
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=PATIENCE) as connection:
        reader = connection.makefile("rb")
        connection.sendall(b"GET /held HTTP/1.1\r\nhost: h\r\n\r\n")
        threading.Event().wait(0.8)
        impatient.seen.release.set()
        assert read_answer(reader)[0] == 200
        threading.Event().wait(0.8)
        connection.sendall(REQUESTS["get"])
        assert read_answer(reader)[0] == 200


@pytest.mark.requirement(97)
def test_a_connection_ends_when_more_requests_are_queued_than_may_be(direct: Running) -> None:
    """docs/incidents/0050-requests-queued-without-a-bound.md"""
    held = b"GET /held HTTP/1.1\r\nhost: h\r\n\r\n"
    with socket.create_connection(("127.0.0.1", direct.port), timeout=PATIENCE) as connection:
        connection.sendall(held + REQUESTS["get"] * MAX_QUEUED)
        threading.Event().wait(0.1)
        direct.seen.release.set()
        reader = connection.makefile("rb")
        assert [read_answer(reader)[0] for _ in range(1 + MAX_QUEUED)] == [200] * (1 + MAX_QUEUED)
    direct.seen.release.clear()
    direct.seen.paths.clear()
    with socket.create_connection(("127.0.0.1", direct.port), timeout=PATIENCE) as connection:
        connection.sendall(held + REQUESTS["get"] * (MAX_QUEUED + 1))
        # closed without a word: an answer here would be taken for the answer to the first request
        assert closed_within(connection, PATIENCE) == b""
    assert direct.seen.paths == []


@pytest.mark.requirement(97)
def test_requests_sent_together_are_all_answered_where_none_has_to_wait(direct: Running) -> None:
    with socket.create_connection(("127.0.0.1", direct.port), timeout=PATIENCE) as connection:
        connection.sendall(REQUESTS["get"] * 100)
        reader = connection.makefile("rb")
        assert [read_answer(reader)[0] for _ in range(100)] == [200] * 100
