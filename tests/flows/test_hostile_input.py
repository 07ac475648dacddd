"""Tests that bad input gets a clear error: each parameter of each route with each kind of junk, and malformed HTTP."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.engines import BOTH, Engine
from tests.flows.patient import PATIENT
from tests.flows.pieces import Pieces, Spot, spots
from tests.flows.raw import RawClient, RawRequest
from tests.flows.running import Running
from tests.flows.stumbling import sweep
from tests.waiting import PATIENCE

ENGINES = BOTH
SPOTS = spots()
SECTIONS = PATIENT


@pytest.fixture
def raw(server: Running) -> Generator[RawClient]:
    """A connection."""
    client = RawClient(server.issuer)
    yield client
    client.close()


@pytest.mark.requirement(9)
@pytest.mark.parametrize("spot", SPOTS, ids=[spot.path for spot in SPOTS])
def test_one_wrong_value_at_a_time_on_every_route(
    spot: Spot, server: Running, pieces: Pieces, engine: Engine
) -> None:
    """On PostgreSQL with the values that a database could take otherwise than another one."""
    assert sweep(server, pieces, spot, store=engine == "postgres").sent > 0


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        (b"GET", b"/token", "OPTIONS, POST"),
        (b"DELETE", b"/token", "OPTIONS, POST"),
        (b"PUT", b"/sign-in", "GET, HEAD, OPTIONS, POST"),
        (b"POST", b"/jwks", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method_gets_a_405_with_the_allowed_ones(
    method: bytes, path: bytes, allowed: str, raw: RawClient
) -> None:
    answer = raw.send(RawRequest(method, path, ((b"host", raw.host),)))
    assert (answer.status, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(
    "kind", [b"application/json", b"text/plain", b"multipart/form-data; boundary=x", b""]
)
def test_a_wrong_content_type_is_a_400_that_names_the_right_one(kind: bytes, raw: RawClient) -> None:
    body = b"grant_type=client_credentials"
    headers = ((b"host", raw.host), (b"content-type", kind), (b"content-length", b"%d" % len(body)))
    answer = raw.send(RawRequest(b"POST", b"/token", headers, body))
    assert answer.status == 400
    assert b"application/x-www-form-urlencoded" in answer.body


@pytest.mark.parametrize(
    "path", [b"/token", b"/introspect", b"/sign-in", b"/authorize", b"/authorize-challenge"]
)
def test_a_huge_body_is_a_413(path: bytes, raw: RawClient) -> None:
    body = b"x=" + b"y" * 300_000
    headers = (
        (b"host", raw.host),
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"content-length", b"%d" % len(body)),
    )
    assert raw.send(RawRequest(b"POST", path, headers, body)).status == 413


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost x\r\n\r\n",
        b"POST /token HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /token HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET http://[ HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET //[ HTTP/1.1\r\nhost: x\r\n\r\n",
    ],
)
def test_malformed_http_is_rejected_and_the_server_goes_on(
    request_line: bytes, raw: RawClient, server: Running
) -> None:
    import socket

    with socket.create_connection(
        ("127.0.0.1", int(raw.host.rpartition(b":")[2])), timeout=PATIENCE
    ) as connection:
        connection.sendall(request_line)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65_536)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 505")), answer
    assert raw.send(RawRequest(b"GET", b"/healthz", ((b"host", raw.host),))).status == 200
    assert server.troubles() == []
