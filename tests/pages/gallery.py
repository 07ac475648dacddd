"""Screenshots of every page with sample data: light and dark, 360 and 1280 pixels wide.

`python -m tests.pages.gallery OUTDIR [LOCALE] [NAME…]`, with packages/doorward/src on PYTHONPATH.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from doorward.web.pages import static
from doorward.web.pages.csp import CONTENT_SECURITY_POLICY
from doorward.web.pages.render import render
from doorward.web.pages.views.flow import Continue, FormPost, SignOutOn
from tests.pages.samples import context, samples
from tools import system

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Each of these leaves at once, by a refresh or a script; with `?stay` it is served without them.
VIEWS = samples()
LEAVING = frozenset(name for name, view in VIEWS.items() if isinstance(view, Continue | FormPost | SignOutOn))
_LEAVES = re.compile(r'<meta http-equiv="refresh"[^>]*>|<script [^>]*form_post\.js[^>]*></script>')


def page_of(name: str, locale: str) -> str:
    """The sample of this name in this language."""
    return render(VIEWS[name], context(locale=locale, development=name in {"outbox", "check-mail"}))


class _Pages(BaseHTTPRequestHandler):
    """Serves /<locale>/<name> and the static files, with the headers that pages are sent with."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path.startswith("/static/"):
            found = static.find(path.removeprefix("/static/"))
            if found is not None:
                return self._answer(found[0].body, found[0].content_type, kept=True)
        if path.endswith("/delivery"):
            return self._answer(b'{"delivery": "under_way"}', "application/json")
        locale, _, name = path.strip("/").partition("/")
        if name not in VIEWS:
            return self._answer(b"", "text/plain", 404)
        page = page_of(name, locale)
        if query == "stay":
            page = _LEAVES.sub("", page)
        return self._answer(page.encode(), "text/html; charset=utf-8")

    def _answer(self, body: bytes, content_type: str, status: int = 200, *, kept: bool = False) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.send_header("content-security-policy", CONTENT_SECURITY_POLICY)
        if kept:
            self.send_header("cache-control", "public, max-age=31536000, immutable")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it is called by
        pass


@contextmanager
def served() -> Iterator[str]:
    """The samples on a loopback port; returns the origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def browser(executable: Path, *more: str) -> Iterator[Browser]:
    """A Chromium that connects only to the given pages."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=[*ARGUMENTS, *more])
        yield chromium
        chromium.close()


def photograph(folder: Path, locale: str, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    executable = system.chromium()
    if isinstance(executable, system.Missing):
        sys.exit(str(executable))
    with served() as origin, browser(executable) as chromium:
        for scheme in ("light", "dark"):
            for width in (360, 1280):
                page = chromium.new_page(
                    color_scheme=scheme, viewport={"width": width, "height": 760}, java_script_enabled=True
                )
                for name in names:
                    page.goto(f"{origin}/{locale}/{name}")
                    page.screenshot(path=folder / f"{name}-{scheme}-{width}.png", full_page=True)
                page.close()


if __name__ == "__main__":
    target, language, *chosen = [*sys.argv[1:], "en"] if len(sys.argv) == 2 else sys.argv[1:]
    photograph(Path(target), language, chosen or [name for name in samples() if name not in LEAVING])
