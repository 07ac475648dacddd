"""An app that receives back-channel logout: a real HTTP server on its own port, which stores what it is sent."""

from __future__ import annotations

import queue
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from tests.waiting import PATIENCE


class LogoutListener:
    """`url` is what the app registers; `token()` waits for the next logout token."""

    def __init__(self, port: int, got: queue.Queue[tuple[str, str]], scheme: str) -> None:
        self.url = f"{scheme}://127.0.0.1:{port}/back-channel-logout"
        self.statuses: list[int] = []
        self._got = got

    def token(self, seconds: float = 10.0) -> str:
        """The next logout token that came."""
        kind, body = self._got.get(timeout=seconds)
        assert kind == "application/x-www-form-urlencoded"
        fields = parse_qs(body, strict_parsing=True)
        assert list(fields) == ["logout_token"]
        return fields["logout_token"][0]

    @property
    def waiting(self) -> int:
        """How many tokens came that were not yet read."""
        return self._got.qsize()


@contextmanager
def listening_app(
    statuses: list[int] | None = None, *, tls: ssl.SSLContext | None = None
) -> Generator[LogoutListener]:
    """`statuses` are its responses in order; after them 200. With `tls` it uses https."""
    got: queue.Queue[tuple[str, str]] = queue.Queue()
    answers = list(statuses or [])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            got.put((self.headers["content-type"], body))
            self.send_response(answers.pop(0) if answers else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield LogoutListener(server.server_address[1], got, "https" if tls else "http")
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)
