"""HTTP client for the issuer's documents: standard library only, with all limits that a hostile network requires."""

import socket
import ssl
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from doorward_verify.metadata import InvalidMetadata, check_url

CONNECT_TIMEOUT: Final = 5.0
_CHUNK: Final = 64 * 1024


class FetchFailed(Exception):
    """No usable answer. The message gives the reason, without credentials or bodies; `status` is set when it
    was not 200."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Fetcher:
    """Fetches over https (http only from loopback): no redirects, proxies or cookies, a size limit, one
    deadline for all.

    `tls` is a custom SSL context, `ca` a file of PEM certificates that are trusted instead of the
    system's. Threads can share it; `close` ends the requests in progress and refuses later ones.
    """

    def __init__(self, *, ca: Path | str | None = None, tls: ssl.SSLContext | None = None) -> None:
        if ca is not None and tls is not None:
            raise ValueError("give either a CA file or an SSL context, not both")
        self._tls = tls or (ssl.create_default_context(cafile=str(ca)) if ca is not None else None)
        self._lock = threading.Lock()
        self._open: set[HTTPConnection] = set()
        self._closed = False

    def fetch(self, url: str, *, accept: str, max_bytes: int, deadline: float = 10.0) -> bytes:
        """Return the body of a 200 answer to GET. `deadline` is in seconds for the whole exchange. Raises
        `FetchFailed`."""
        return bytes(self._exchange(_Request(url, "GET", accept), max_bytes, deadline)[1])

    def fetch_big(self, url: str, *, accept: str, max_bytes: int, deadline: float) -> bytearray:
        """`fetch` without a second copy of the body."""
        return self._exchange(_Request(url, "GET", accept), max_bytes, deadline)[1]

    def post(
        self, url: str, form: dict[str, str], *, max_bytes: int, deadline: float = 10.0
    ) -> tuple[int, bytes]:
        """Status and body of the answer to a form. Raises `FetchFailed` for a redirect, and for no answer."""
        asked = _Request(url, "POST", "application/json", urlencode(form).encode())
        status, body = self._exchange(asked, max_bytes, deadline)
        return status, bytes(body)

    def _exchange(self, asked: "_Request", max_bytes: int, deadline: float) -> tuple[int, bytearray]:
        url = asked.url
        try:
            check_url(url)
        except InvalidMetadata as error:
            raise FetchFailed(str(error)) from None
        ends = time.monotonic() + deadline
        connection = self._connection(url, min(CONNECT_TIMEOUT, deadline))
        with self._lock:
            if self._closed:
                raise FetchFailed("closed")
            self._open.add(connection)
        # A socket timeout starts again with each byte. This timer stops a server that sends single bytes slowly.
        watchdog = threading.Timer(deadline, _abort, [connection])
        watchdog.daemon = True
        watchdog.start()
        try:
            answer = _send(connection, asked, max_bytes, ends)
            if time.monotonic() < ends:
                return answer
            # A connection that the timer cut can look complete: an answer without a length ends with its connection.
            raise FetchFailed(f"no answer within {deadline:g} s")
        except FetchFailed:
            raise
        except (OSError, HTTPException, ValueError) as error:
            if time.monotonic() >= ends:
                raise FetchFailed(f"no answer within {deadline:g} s") from None
            # the kind of fault and not its text, which can contain what the other side sent
            raise FetchFailed(f"{type(error).__name__}{_reason(error)}") from None
        finally:
            watchdog.cancel()
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def close(self) -> None:
        """End every fetch in progress."""
        with self._lock:
            self._closed = True
            for connection in self._open:
                _abort(connection)

    def _connection(self, url: str, timeout: float) -> HTTPConnection:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            if self._tls is None:
                self._tls = ssl.create_default_context()
            return HTTPSConnection(host, parts.port, timeout=timeout, context=self._tls)
        return HTTPConnection(host, parts.port, timeout=timeout)


class _Request(Struct, frozen=True):
    url: str
    method: str
    accept: str
    form: bytes | None = None

    def __repr__(self) -> str:
        return f"_Request({self.method} {self.url}, ***)"


def _send(connection: HTTPConnection, asked: _Request, max_bytes: int, ends: float) -> tuple[int, bytearray]:
    parts = urlsplit(asked.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.connect()
    # from here on the timer enforces the deadline: a long poll sends nothing for as long as requested
    connection.sock.settimeout(max(ends - time.monotonic(), 0.001))
    headers = {"Accept": asked.accept, "User-Agent": "doorward-verify", "Connection": "close"}
    if asked.form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(asked.method, target, body=asked.form, headers=headers)
    response = connection.getresponse()
    if response.status != 200 and (asked.form is None or 300 <= response.status < 400):
        raise FetchFailed(
            f"the answer has status {response.status}, not 200; redirects are not followed",
            status=response.status,
        )
    if response.getheader("Content-Encoding", "identity").lower() != "identity":
        raise FetchFailed("the answer is compressed, which was not asked for")
    if response.length is not None and response.length > max_bytes:
        raise FetchFailed(f"the answer is bigger than {max_bytes} bytes")
    body = bytearray()
    while chunk := response.read1(_CHUNK):
        body += chunk
        if len(body) > max_bytes:
            raise FetchFailed(f"the answer is bigger than {max_bytes} bytes")
    if response.length:
        raise IncompleteRead(b"", response.length)
    return response.status, body


def _abort(connection: HTTPConnection) -> None:
    sock: socket.socket | None = connection.sock
    if sock is not None:
        with suppress(OSError):  # already closed
            sock.shutdown(socket.SHUT_RDWR)


def _reason(error: Exception) -> str:
    return f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
