"""Tests of heads with no host or two, with an offered upgrade, or that cannot be parsed (RFC 9112 §3.2, RFC 9110 §7.8)."""

from __future__ import annotations

import socket
import threading

import pytest

from tests.waiting import PATIENCE
from tests.web.socket_server import Running, read_answer
from tests.web.test_connection_limits import REQUESTS

OFFER = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAA\r\n"
OFFERS = {
    "a GET": (b"GET /echo HTTP/1.1\r\nhost: h\r\n" + OFFER + b"\r\n", 0),
    "a POST": (b"POST /echo HTTP/1.1\r\nhost: h\r\n" + OFFER + b"content-length: 5\r\n\r\nhello", 5),
    "in pieces": (
        b"POST /echo HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n"
        + OFFER
        + b"\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        5,
    ),
    "a web socket": (
        b"GET /echo HTTP/1.1\r\nhost: h\r\nconnection: keep-alive, upgrade\r\nupgrade: websocket\r\n\r\n",
        0,
    ),
    "a large body": (
        b"POST /echo HTTP/1.1\r\nhost: h\r\n" + OFFER + b"content-length: 60000\r\n\r\n" + b"x" * 60_000,
        60_000,
    ),
}


@pytest.mark.parametrize("in_one_piece", [True, False], ids=["at once", "head first"])
@pytest.mark.parametrize("what", OFFERS)
def test_an_offered_upgrade_is_ignored_and_the_body_arrives(
    limited: Running, what: str, in_one_piece: bool
) -> None:
    """RFC 9110 §7.8; Java's HttpClient offers h2c with every request."""
    sent, size = OFFERS[what]
    head, _, body = sent.partition(b"\r\n\r\n")
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        if in_one_piece:
            connection.sendall(sent)
        else:
            connection.sendall(head + b"\r\n\r\n")
            threading.Event().wait(0.05)
            connection.sendall(body)
        reader = connection.makefile("rb")
        status, headers, answer = read_answer(reader)
        assert status == 200
        assert "upgrade" not in headers
        assert f'"size":{size}'.encode() in answer
        # the connection continues in HTTP/1.1
        connection.sendall(REQUESTS["post"])
        assert b'"size":5' in read_answer(reader)[2]
    assert limited.seen.paths == ["/echo", "/echo"]


def test_any_number_of_offers_on_one_connection_is_answered(limited: Running) -> None:
    """docs/incidents/0045-each-offer-one-call-deeper.md"""
    many = 600
    one = b"GET /empty HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"
    last = b"GET /empty HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        connection.sendall(one * many + last)
        answers = connection.makefile("rb").read()
    assert answers.count(b"HTTP/1.1 204") == many + 1


def test_a_request_with_an_offered_upgrade_waits_in_the_queue_like_any_other(limited: Running) -> None:
    held = b"GET /held HTTP/1.1\r\nhost: h\r\n\r\n"
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        connection.sendall(held + OFFERS["a POST"][0] + OFFERS["a POST"][0] + REQUESTS["get"])
        threading.Event().wait(0.05)
        limited.seen.release.set()
        reader = connection.makefile("rb")
        answers = [read_answer(reader)[2] for _ in range(4)]
    assert answers[0] == b'{"held":true}'
    assert [b'"size":5' in body for body in answers[1:]] == [True, True, False]


@pytest.mark.parametrize(
    "sent",
    [
        b"CONNECT other.example:443 HTTP/1.1\r\nhost: other.example:443\r\n\r\n",
        b"GET /echo HTTP/1.1\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nhost: h\r\nHost: other.example\r\n\r\n",
        b"GET /echo HTTP/1.0\r\nhost: h\r\nhost: h\r\n\r\n",
        b"POST /echo HTTP/1.1\r\n" + OFFER + b"content-length: 5\r\n\r\nhello",
    ],
    ids=["a tunnel", "no host", "two hosts", "two hosts in HTTP/1.0", "no host and an upgrade"],
)
def test_a_request_without_exactly_our_one_host_is_refused(limited: Running, sent: bytes) -> None:
    """RFC 9112 §3.2: exactly one Host; with two, a proxy and this server could use different ones."""
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        connection.sendall(sent)
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 400")
    assert limited.seen.paths == []


def test_an_unparsable_request_is_never_answered_before_earlier_ones(limited: Running) -> None:
    with socket.create_connection(("127.0.0.1", limited.port), timeout=PATIENCE) as connection:
        connection.sendall(b"GET /held HTTP/1.1\r\nhost: h\r\n\r\n" + b"no request at all\r\n\r\n")
        assert connection.makefile("rb").read() == b""
