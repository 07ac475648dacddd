"""Raw HTTP requests over a socket, byte for byte, including those that no HTTP client would send."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit


@dataclass(frozen=True)
class RawRequest:
    """A request as bytes. `target` is the text between method and version."""

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    def __bytes__(self) -> bytes:
        lines = [self.method + b" " + self.target + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in self.headers]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body

    def __repr__(self) -> str:
        shown = bytes(self)
        return repr(shown if len(shown) < 1500 else shown[:1500] + b"... (%d bytes)" % len(shown))


@dataclass
class RawAnswer:
    """The response; status 0 when the connection was closed without one."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class RawClient:
    """One connection, reopened when the server has closed it."""

    def __init__(self, issuer: str) -> None:
        parts = urlsplit(issuer)
        assert parts.hostname is not None
        self.host = parts.netloc.encode()
        self._address = (parts.hostname, parts.port or 80)
        self._socket: socket.socket | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, request: RawRequest, *, seconds: float = 10.0) -> RawAnswer:
        """Send one request and read its response."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=seconds)
        self._socket.settimeout(seconds)
        # the server may respond and close before it has read everything
        with suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(bytes(request))
        try:
            with HTTPResponse(self._socket, method=request.method.decode("latin-1")) as answer:
                answer.begin()
                body = answer.read()
                got = RawAnswer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, body)
                if answer.will_close:
                    self.close()
                return got
        except (ConnectionResetError, BrokenPipeError, HTTPException):
            self.close()
            return RawAnswer(0)
