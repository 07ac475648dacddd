"""Tests of a real browser behind a proxy that adds `Referrer-Policy: no-referrer`, and under host names that are not the
issuer's."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.demo import running
from tests.features.origins import ORIGINS
from tests.flows.processes import Process
from tests.flows.seeds import PASSWORD, seed_at
from tests.flows.settings import write_settings
from tests.ports import free_port
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.browser, pytest.mark.requirement(70)]
EVIL = "/another-site"
"""A page of an attacker at the host name localhost: another site than 127.0.0.1."""


@dataclass
class Proxy:
    """A proxy in front of the server, at its public address."""

    origin: str
    posts: list[tuple[str | None, str | None]] = field(default_factory=list[tuple[str | None, str | None]])
    """Origin and Sec-Fetch-Site of each form."""
    statuses: list[int] = field(default_factory=list[int])
    evil: bytes = b""
    rewrites_host: bool = False
    """As nginx does by default: the server sees the name by which the proxy reaches it. Then the referrer policy stays as it is."""


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder: Path = tmp_path_factory.mktemp("proxy")
    port, inner = free_port(), free_port()
    known = Proxy(f"http://127.0.0.1:{port}")

    class Forward(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            if self.command == "POST":
                known.posts.append((self.headers.get("origin"), self.headers.get("sec-fetch-site")))
            if self.path == EVIL:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(known.evil)))
                self.end_headers()
                self.wfile.write(known.evil)
                return
            upstream = http.client.HTTPConnection("127.0.0.1", inner, timeout=PATIENCE)
            headers = dict(self.headers.items())
            if known.rewrites_host:
                headers["Host"] = f"127.0.0.1:{port}"
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
            if self.command == "POST":
                known.statuses.append(answer.status)
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"referrer-policy", "content-length", "connection", "date", "server"}:
                    self.send_header(name, value)
            policy = answer.getheader("referrer-policy") if known.rewrites_host else "no-referrer"
            self.send_header("Referrer-Policy", policy or "")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            upstream.close()

        do_GET = do_POST = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            del format, args

    config = write_settings(folder, known.origin, None)
    with ThreadPoolExecutor(1) as aside:
        # the browser's driver has an event loop in this thread
        house = aside.submit(seed_at, config, known.origin).result()
    server = Process(config, inner, folder / "server.log")
    front = ThreadingHTTPServer(("127.0.0.1", port), Forward)
    try:
        server.start()
        threading.Thread(target=front.serve_forever, daemon=True).start()
        yield known
        front.shutdown()
    finally:
        front.server_close()
        house.close()
        server.stop()


def test_every_form_works_behind_a_proxy_that_removes_the_referrer(
    chrome: Browser, proxy: Proxy, scripts: bool
) -> None:
    context = chrome.new_context(java_script_enabled=scripts, locale="en-GB")
    page = context.new_page()
    page.goto(f"{proxy.origin}/sign-in")
    page.fill("#identifier", "ada@example.com")
    page.fill("#password", PASSWORD)
    page.click("#submit")
    expect(page.locator("h1")).to_have_text("Profile")
    page.fill("#name", "Ada L.")
    page.click("#submit")
    expect(page.locator("#done")).to_have_text("Saved.")
    assert set(proxy.posts[-2:]) == {("null", "same-origin")}
    context.close()


def test_a_sandboxed_frame_of_another_site_is_refused(chrome: Browser, proxy: Proxy) -> None:
    """The frame sends `Origin: null` as well; here it even has the form's token."""
    context = chrome.new_context(locale="en-GB")
    own = context.new_page()
    own.goto(f"{proxy.origin}/sign-in")
    token = own.locator("input[name=csrf]").first.get_attribute("value")
    page = f"""<!doctype html><iframe sandbox="allow-forms allow-scripts" srcdoc='<form method=post
        action="{proxy.origin}/sign-in"><input name=csrf value="{token}"><input name=identifier value="ada@example.com">
        <input name=password value="{PASSWORD}"></form><script>document.forms[0].submit()</script>'></iframe>"""
    evil = context.new_page()
    proxy.evil = page.encode()
    before = len(proxy.posts)
    evil.goto(proxy.origin.replace("127.0.0.1", "localhost") + EVIL)
    until(lambda: len(proxy.statuses) > before)
    assert proxy.statuses[before:] == [403]
    assert proxy.posts[before:] == [("null", "cross-site")]
    assert not [cookie for cookie in context.cookies() if "session" in str(cookie.get("name"))]
    context.close()


def test_a_form_opened_at_localhost_links_to_the_right_address(
    chrome: Browser, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "rewrites_host", True)
    context = chrome.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(proxy.origin.replace("127.0.0.1", "localhost") + "/reset")
    page.fill("#email", "ada@example.com")
    page.click("#submit")
    expect(page.locator("h1")).to_have_text("This is not our address")
    page.click("#to-right-host")
    expect(page.locator("h1")).to_have_text("Reset your password")
    assert page.url == f"{proxy.origin}/reset"
    context.close()


def test_a_page_at_127_0_0_1_leads_to_the_right_address(chrome: Browser, dev: running.Dev) -> None:
    places = dev.state.places
    context = chrome.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(places.issuer.replace("localhost", "127.0.0.1") + "/reset?x=1")
    expect(page.locator("h1")).to_have_text("Reset your password")
    assert page.url == f"{places.issuer}/reset?x=1"
    page.goto(places.shop.replace("localhost", "127.0.0.1"))
    assert page.url == f"{places.shop}/"
    page.goto(places.shop.replace("localhost", "127.0.0.1") + "/sign-in")
    expect(page.locator("h1")).to_have_text("Sign in")
    assert page.url.startswith(f"{places.issuer}/sign-in?")
    context.close()


def test_assumed_origin_headers_are_those_of_this_browser(chrome: Browser) -> None:
    context = chrome.new_context()
    page = context.new_page()
    found = page.evaluate(
        "(urls) => urls.map((url) => { try { return new URL(url).origin; } catch { return null; } })",
        list(ORIGINS),
    )
    assert dict(zip(ORIGINS, found, strict=True)) == ORIGINS
    context.close()
