"""Tests of `passkeys.js` in Chromium: which call each form makes, what it posts, and when it stays silent.

The pages here are small ones with the same forms, under the policy of the real ones; `test_passkeys` shows the whole way.
"""

from __future__ import annotations

import base64
import html
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from doorward.web.pages import static
from doorward.web.pages.csp import CONTENT_SECURITY_POLICY
from tests.browser.virtual_authenticator import attach
from tests.browser.watched import Watch
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.browser
GET: dict[str, Any] = {"rpId": "localhost", "userVerification": "required", "allowCredentials": []}
CREATE: dict[str, Any] = {
    "rp": {"id": "localhost", "name": "Doorward"},
    "user": {"id": "YWNj", "name": "ada@example.com", "displayName": "Ada"},
    "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in (-8, -7, -257)],
    "authenticatorSelection": {"residentKey": "required", "userVerification": "required"},
}
HEAD = '<meta charset="utf-8"><title>x</title><link rel="icon" href="data:,">'
NOTES = "<p data-passkey-known hidden>Known</p><p data-passkey-failed hidden>Failed</p>"


@dataclass
class Site:
    """The test's own site: its pages by path, and what was posted to it."""

    origin: str
    pages: dict[str, str] = field(default_factory=dict[str, str])
    posted: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    renewed: int = 0

    def form(self, kind: str, options: dict[str, Any], *, more: str = "", to: str = "/got") -> str:
        """A page with one form of that kind."""
        shown = html.escape(json.dumps({**options, "challenge": "Zmlyc3Q"}))
        return (
            f'<input id="email" autocomplete="username webauthn"><form method="post" action="{to}" data-passkey-{kind} '
            f'data-options="{shown}" data-renew="/options" {more}><input type="hidden" name="credential">'
            f'<button type="button" data-passkey hidden>Passkey</button>{NOTES}</form>'
        )


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path.startswith("/static/"):
                found = static.find(path.removeprefix("/static/"))
                assert found is not None
                return self._send(found[0].body, found[0].content_type)
            if path == "/options":
                site.renewed += 1
                options = {**GET, "challenge": "c2Vjb25k"}
                return self._send(json.dumps(options).encode(), "application/json")
            script = f'<script src="/static/{static.VERSION}/passkeys.js" defer></script>'
            shown = f"<!doctype html><head>{HEAD}{script}</head>{site.pages[path]}"
            return self._send(shown.encode(), "text/html")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            site.posted.append(json.loads(parse_qs(body)["credential"][0]))
            if self.path == "/silent":
                self.send_response(204)
                self.end_headers()
                return
            self._send(f"<!doctype html><head>{HEAD}</head><h1>Got it</h1>".encode(), "text/html")

        def _send(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-security-policy", CONTENT_SECURITY_POLICY)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it is called by
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(f"http://localhost:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield site
    server.shutdown()
    server.server_close()
    thread.join(PATIENCE)


@pytest.fixture
def page(chrome: Browser, site: Site) -> Iterator[Page]:
    """A tab whose console must stay empty."""
    site.posted.clear()
    context = chrome.new_context()
    context.set_default_timeout(120_000)
    watch = Watch((site.origin,))
    watch.listen(context)
    yield context.new_page()
    context.close()
    assert watch.complaints() == []


def show(page: Page, site: Site, content: str) -> None:
    site.pages["/page"] = content
    page.goto(f"{site.origin}/page")


def register(page: Page, site: Site) -> dict[str, Any]:
    show(page, site, site.form("create", CREATE))
    page.click("button")
    expect(page.locator("h1")).to_have_text("Got it")
    return site.posted.pop()


def challenge_of(credential: dict[str, Any]) -> str:
    text = credential["response"]["clientDataJSON"]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))["challenge"]


def test_a_passkey_is_made_and_offered_in_the_email_field(page: Page, site: Site) -> None:
    attach(page)
    made = register(page, site)
    assert made["type"] == "public-key"
    assert {"attestationObject", "clientDataJSON", "transports"} <= made["response"].keys()
    show(page, site, site.form("get", GET, more="data-autofill"))
    expect(page.locator("h1")).to_have_text("Got it")
    (used,) = site.posted
    assert used["id"] == made["id"]
    assert used["response"]["userHandle"] == "YWNj"
    assert challenge_of(used) == "Zmlyc3Q"


def test_a_button_ends_the_suggestions_and_signs_in(page: Page, site: Site) -> None:
    authenticator = attach(page)
    made = register(page, site)
    with authenticator.asleep():
        show(page, site, site.form("get", GET, more="data-autofill"))
        expect(page.locator("button")).to_be_visible()
    page.click("button")
    expect(page.locator("h1")).to_have_text("Got it")
    assert [used["id"] for used in site.posted] == [made["id"]]


def test_without_a_passkey_or_a_finger_nothing_is_said(page: Page, site: Site) -> None:
    authenticator = attach(page)
    register(page, site)
    authenticator.verify(succeeds=False)
    show(page, site, site.form("get", GET))
    page.click("button")
    page.wait_for_timeout(300)
    authenticator.remove(authenticator.credentials()[0]["credentialId"])
    show(page, site, site.form("get", GET, more="data-autofill"))
    page.click("button")
    page.wait_for_timeout(300)
    assert site.posted == []
    assert page.locator("p:visible").count() == 0


def test_a_passkey_that_is_there_already_is_named(page: Page, site: Site) -> None:
    attach(page)
    made = register(page, site)
    again = {**CREATE, "excludeCredentials": [{"type": "public-key", "id": made["id"]}]}
    show(page, site, site.form("create", again))
    page.click("button")
    expect(page.locator("[data-passkey-known]")).to_be_visible()
    assert page.locator("[data-passkey-failed]").is_hidden()
    show(page, site, site.form("get", {**GET, "rpId": "elsewhere.example"}))
    page.click("button")
    expect(page.locator("[data-passkey-failed]")).to_be_visible()


def test_a_page_that_stays_open_gets_a_new_challenge(page: Page, site: Site) -> None:
    authenticator = attach(page)
    register(page, site)
    page.clock.install()
    page.add_init_script(
        """const get = navigator.credentials.get.bind(navigator.credentials);
        window.challenges = [];
        navigator.credentials.get = (options) => {
          window.challenges.push(new TextDecoder().decode(options.publicKey.challenge));
          return get(options);
        };"""
    )
    before = site.renewed
    with authenticator.asleep():
        show(page, site, site.form("get", GET, more="data-autofill"))
        page.clock.run_for(7 * 60_000)
        assert site.renewed == before
        page.clock.run_for(2 * 60_000)
        until(lambda: page.evaluate("window.challenges") == ["first", "second"])
    assert site.renewed == before + 1


def test_a_silent_passkey_asks_for_a_conditional_call_and_stays_on_the_page(page: Page, site: Site) -> None:
    """Chromium's virtual authenticator never answers such a call, so here an ordinary one answers in its place."""
    attach(page)
    page.add_init_script(
        """const create = navigator.credentials.create.bind(navigator.credentials);
        navigator.credentials.create = ({ mediation, ...options }) => { window.mediation = mediation; return create(options); };
        PublicKeyCredential.getClientCapabilities = async () => ({ conditionalCreate: window.name !== "cannot" });"""
    )
    show(page, site, "<h1>Account</h1>" + site.form("silent", CREATE, to="/silent"))
    until(lambda: page.evaluate("window.mediation") == "conditional" and len(site.posted) == 1)
    expect(page.locator("h1")).to_have_text("Account")
    assert "attestationObject" in site.posted[0]["response"]
    page.evaluate("window.name = 'cannot'")
    page.reload()
    page.wait_for_timeout(300)
    assert page.evaluate("window.mediation") is None


def test_signals_reach_the_browser(page: Page, site: Site) -> None:
    page.add_init_script(
        """window.said = [];
        for (const name of ["signalUnknownCredential", "signalAllAcceptedCredentials", "signalCurrentUserDetails"])
          PublicKeyCredential[name] = async (told) => { window.said.push([name, told]); };"""
    )
    signals = [
        {"signalName": "unknownCredential", "rpID": "localhost", "credentialID": "AAAA"},
        {"signalName": "allAcceptedCredentials", "rpID": "localhost", "userID": "YWNj", "allAcceptedCredentialIDs": ["BBBB"]},
        {"signalName": "currentUserDetails", "rpID": "localhost", "userID": "YWNj", "userName": "a", "userDisplayName": "A"},
    ]  # fmt: skip
    show(page, site, f'<div data-signals="{html.escape(json.dumps(signals))}"></div>')
    assert page.evaluate("window.said") == [
        ["signalUnknownCredential", {"rpId": "localhost", "credentialId": "AAAA"}],
        ["signalAllAcceptedCredentials", {"rpId": "localhost", "userId": "YWNj", "allAcceptedCredentialIds": ["BBBB"]}],
        ["signalCurrentUserDetails", {"rpId": "localhost", "userId": "YWNj", "name": "a", "displayName": "A"}],
    ]  # fmt: skip


def test_a_browser_without_passkeys_shows_no_button(page: Page, site: Site) -> None:
    page.add_init_script("delete window.PublicKeyCredential")
    show(page, site, site.form("get", GET, more="data-autofill"))
    assert page.locator("button").is_hidden()
    assert site.posted == []


def test_a_browser_without_an_authenticator_says_nothing(page: Page, site: Site) -> None:
    show(page, site, site.form("get", GET, more="data-autofill"))
    expect(page.locator("button")).to_be_visible()
    page.wait_for_timeout(300)
    # the page is left while the call may still be pending
    show(page, site, site.form("get", GET, more="data-autofill"))
    assert page.locator("p:visible").count() == 0
    assert site.posted == []
