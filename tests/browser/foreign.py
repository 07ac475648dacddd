"""A third-party app at its own origin: a page with a link to the sign-in page, and a callback that records what arrives."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import Request, urlopen

from tests.waiting import PATIENCE


@dataclass(frozen=True)
class Arrived:
    """What came to the callback, and by which method."""

    method: str
    fields: dict[str, str]


@dataclass
class ForeignApp:
    """`origin` uses the address 127.0.0.1, so that for the browser it is another site than the server's `localhost`."""

    origin: str
    issuer: str = ""
    client_id: str = ""
    secret: str = ""
    arrived: list[Arrived] = field(default_factory=list[Arrived])
    onward: str | None = None
    """The address to which the callback redirects the browser, if any."""
    _verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def callback(self) -> str:
        """Its redirect_uri."""
        return f"{self.origin}/callback"

    @property
    def elsewhere(self) -> str:
        """A page of the same app on another host, for an app whose callback is one service and whose pages are another."""
        return f"{self.origin.replace('127.0.0.1', 'localhost')}/landed"

    def begin(self, **more: str) -> str:
        """The address of its page with the link; `more` are parameters of the authorization request."""
        return f"{self.origin}/?{urlencode(more)}"

    def embedding(self, how: str, url: str) -> str:
        """The address of its page that loads `url`: as `img`, as `iframe`, by a `form` that submits itself, or by a form into a
        `frame`.

        A form sends the parameters of the address as its fields.
        """
        return f"{self.origin}/embedding?{urlencode({'how': how, 'url': url})}"

    def request(self, more: dict[str, str]) -> str:
        """An authorization request."""
        digest = hashlib.sha256(self._verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.callback,
            "scope": "openid profile email",
            "state": "of-this-app",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **more,
        }
        return f"{self.issuer}/authorize?{urlencode(asked)}"

    def redeem(self) -> dict[str, Any]:
        """Exchange the code that arrived last (RFC 6749 §4.1.3)."""
        form = {
            "grant_type": "authorization_code",
            "code": self.arrived[-1].fields["code"],
            "redirect_uri": self.callback,
            "code_verifier": self._verifier,
        }
        basic = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}"}
        asked = Request(f"{self.issuer}/token", urlencode(form).encode(), headers)
        with urlopen(asked, timeout=PATIENCE) as answer:
            return json.load(answer)


@contextmanager
def foreign_app() -> Iterator[ForeignApp]:
    """The app, listening; the test that registers it sets the issuer and its credentials."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            fields = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/callback":
                return self._callback(fields)
            if parts.path == "/landed":
                return self._page("<h1>Landed elsewhere</h1>")
            if parts.path == "/embedding":
                return self._page(_embedded(fields["how"], fields["url"]))
            address = html.escape(app.request(fields))
            return self._page(f'<h1>Kite Club</h1><p><a id="connect" href="{address}">Connect</a></p>')

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            self._callback({name: values[0] for name, values in parse_qs(body).items()})

        def _callback(self, fields: dict[str, str]) -> None:
            app.arrived.append(Arrived(self.command, fields))
            if app.onward is not None:
                self.send_response(302)
                self.send_header("location", app.onward)
                self.send_header("content-length", "0")
                self.end_headers()
                return
            what = "no" if "error" in fields else "yes"
            self._page(f'<h1>Back at Kite Club</h1><p id="answer">{what}</p>')

        def _page(self, content: str) -> None:
            head = '<meta charset="utf-8"><title>Kite Club</title><link rel="icon" href="data:,">'
            body = f'<!doctype html><html lang="en">{head}<main>{content}</main></html>'.encode()
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it is called by
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    app = ForeignApp(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)


def _embedded(how: str, url: str) -> str:
    shown = html.escape(url)
    if how == "img":
        return f'<h1>Kite Club</h1><img alt="" src="{shown}">'
    if how == "iframe":
        return f'<h1>Kite Club</h1><iframe src="{shown}"></iframe>'
    parts = urlsplit(url)
    fields = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(values[0])}">'
        for name, values in parse_qs(parts.query).items()
    )
    action = html.escape(parts._replace(query="").geturl())
    target = ' target="frame"' if how == "frame" else ""
    return (
        f'<h1>Kite Club</h1><iframe name="frame"></iframe><form id="form" method="post" action="{action}"{target}>'
        f"{fields}</form><script>document.getElementById('form').submit()</script>"
    )
