"""A server of pages and an app, on two loopback origins: the pages come from `render`, the app records what arrives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from doorward.web.pages import static
from doorward.web.pages.csp import CONTENT_SECURITY_POLICY, form_post_policy
from doorward.web.pages.render import render
from doorward.web.pages.views.flow import Continue, FormPost
from doorward.web.pages.views.sign_up import LinkPage
from tests.pages.samples import context


@dataclass
class App:
    """`start` and `callback` are addresses of different origins; `received` is what came to the callback."""

    start: str = ""
    callback: str = ""
    received: list[tuple[str, str, str]] = field(default_factory=list)


def _answer(handler: BaseHTTPRequestHandler, body: bytes, content_type: str, policy: str | None) -> None:
    handler.send_response(200)
    handler.send_header("content-type", content_type)
    handler.send_header("content-length", str(len(body)))
    if policy is not None:
        handler.send_header("content-security-policy", policy)
    handler.end_headers()
    handler.wfile.write(body)


def _body(handler: BaseHTTPRequestHandler) -> str:
    return handler.rfile.read(int(handler.headers.get("content-length") or 0)).decode()


def _start_page(running: App) -> type[BaseHTTPRequestHandler]:
    class AcceptBalancer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            found = static.find(path.removeprefix("/static/"))
            if found is not None:
                return _answer(self, found[0].body, found[0].content_type, None)
            page = render(LinkPage("sign_up", f"/{query.removeprefix('then=')}", "token"), context())
            return _answer(self, page.encode(), "text/html; charset=utf-8", CONTENT_SECURITY_POLICY)

        def do_POST(self) -> None:
            _body(self)
            policy = CONTENT_SECURITY_POLICY
            if self.path == "/continue":
                page = render(Continue(url=running.callback + "?code=a%22b&iss=x", app="Orders"), context())
            else:
                # A field named "submit" must not prevent the submission of the form.
                fields = (("code", 'a"b'), ("submit", "x"))
                page = render(FormPost(running.callback, fields, app="Orders"), context())
                if self.path == "/form-post":
                    policy = form_post_policy([running.callback])
            _answer(self, page.encode(), "text/html; charset=utf-8", policy)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it is called by
            pass

    return AcceptBalancer


def _callback(running: App) -> type[BaseHTTPRequestHandler]:
    class Callback(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/callback"):
                running.received.append((self.command, self.path, _body(self)))
            _answer(self, b"<title>app</title>", "text/html", None)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it is called by
            pass

    return Callback


@contextmanager
def app() -> Iterator[App]:
    """Both servers, for the duration of the block."""
    running = App()
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), kind(running)) for kind in (_start_page, _callback)]
    running.start, callback = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)
    running.callback = callback + "/callback"
    threads = [threading.Thread(target=server.serve_forever, daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
