"""Limits of a fetch: deadline, size, and no other destination."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trustme

from doorward_verify.fetch import Fetcher, FetchFailed
from tests.waiting import PATIENCE

Handler = Callable[[socket.socket], None]


@contextmanager
def listening(handler: Handler, tls: ssl.SSLContext | None = None) -> Generator[int]:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                with suppress(OSError), connection:
                    handler(tls.wrap_socket(connection, server_side=True) if tls else connection)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()


def get(url: str, fetcher: Fetcher | None = None, *, max_bytes: int = 1000, deadline: float = 5) -> bytes:
    return (fetcher or Fetcher()).fetch(
        url, accept="application/json", max_bytes=max_bytes, deadline=deadline
    )


def answering(*pieces: bytes, pause: float = 0) -> Handler:
    def handle(connection: socket.socket) -> None:
        connection.recv(4096)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)

    return handle


def silent_until(answers: threading.Event) -> Handler:
    def handle(connection: socket.socket) -> None:
        connection.recv(4096)
        answers.wait(PATIENCE)

    return handle


def test_a_good_answer() -> None:
    with listening(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as port:
        assert get(f"http://127.0.0.1:{port}/x?y=1") == b"{}"
    with listening(
        answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
    ) as port:
        assert get(f"http://127.0.0.1:{port}") == b"{}"


@pytest.mark.requirement(50)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    visited: list[int] = []
    with (
        listening(lambda _: visited.append(1)) as target,
        listening(
            answering(
                f"HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:{target}/\r\nContent-Length: 0\r\n\r\n".encode()
            )
        ) as port,
        pytest.raises(FetchFailed, match="redirects are not followed"),
    ):
        get(f"http://127.0.0.1:{port}")
    assert visited == []


@pytest.mark.requirement(50)
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"800\r\n"
        + b"x" * 0x800
        + b"\r\n0\r\n\r\n",
    ],
    ids=["length", "until the end", "chunked"],
)
def test_an_answer_over_the_size_limit_is_refused(answer: bytes) -> None:
    with listening(answering(answer)) as port, pytest.raises(FetchFailed, match="bigger"):
        get(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=range(9),
)
def test_a_broken_answer_is_a_failed_fetch(answer: bytes) -> None:
    try:
        with listening(answering(answer)) as port:
            body = get(f"http://127.0.0.1:{port}", deadline=2)
    except FetchFailed:
        return
    assert body == b""  # a negative length is read as none, to the end of the connection


@pytest.mark.requirement(50)
@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", *[b"x"] * 900],
        [b"HTTP/1.1 200 OK\r\n", *[b"X-Drip: 1\r\n"] * 90],
        [b"H"] * 900,
    ],
    ids=["body", "headers", "status line"],
)
def test_a_server_that_sends_slowly_is_cut_off_at_the_deadline(pieces: list[bytes]) -> None:
    with listening(answering(*pieces, pause=0.05)) as port:
        began = time.monotonic()
        with pytest.raises(FetchFailed, match="no answer within"):
            get(f"http://127.0.0.1:{port}", deadline=0.5)
        assert time.monotonic() - began > 0.4


def test_a_server_that_says_nothing_is_cut_off_at_the_deadline() -> None:
    answers = threading.Event()
    with listening(silent_until(answers)) as port:
        began = time.monotonic()
        with pytest.raises(FetchFailed, match=r"no answer within 0\.3 s"):
            get(f"http://127.0.0.1:{port}", deadline=0.3)
        assert time.monotonic() - began < PATIENCE / 4
        answers.set()


def test_a_refused_connection_is_a_failed_fetch(free_port: int) -> None:
    with pytest.raises(FetchFailed, match="ConnectionRefusedError"):
        get(f"http://127.0.0.1:{free_port}")


def test_close_ends_a_fetch_in_progress() -> None:
    fetcher = Fetcher()
    answers = threading.Event()
    with listening(silent_until(answers)) as port:
        threading.Timer(0.2, fetcher.close).start()
        began = time.monotonic()
        with pytest.raises(FetchFailed):
            get(f"http://127.0.0.1:{port}", fetcher, deadline=PATIENCE)
        assert time.monotonic() - began < PATIENCE / 4
        answers.set()
        with pytest.raises(FetchFailed, match="closed"):
            get(f"http://127.0.0.1:{port}", fetcher)


@pytest.mark.requirement(50)
@pytest.mark.parametrize(
    "url", ["http://192.0.2.1/jwks", "ftp://127.0.0.1/x", "file:///etc/passwd", "https://a:b@127.0.0.1/"]
)
def test_other_schemes_and_plain_http_to_other_hosts_open_no_connection(url: str) -> None:
    with pytest.raises(FetchFailed, match=r"only https|not a URL"):
        get(url)


@pytest.mark.requirement(50)
def test_https_needs_a_certificate_that_is_trusted(tmp_path: Path) -> None:
    authority = trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    good = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    with listening(good, server_side) as port:
        assert get(f"https://127.0.0.1:{port}", Fetcher(ca=ca)) == b"{}"
        own = ssl.create_default_context(cafile=str(ca))
        assert get(f"https://127.0.0.1:{port}", Fetcher(tls=own)) == b"{}"
        with pytest.raises(FetchFailed, match="SSLCertVerificationError"):
            get(f"https://127.0.0.1:{port}")
        with pytest.raises(FetchFailed, match="SSLCertVerificationError"):
            get(f"https://localhost:{port}", Fetcher(ca=ca))
    with pytest.raises(ValueError, match="not both"):
        Fetcher(ca=ca, tls=own)
