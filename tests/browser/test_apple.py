"""Apple's answer in a real browser: a form of another site, with which Chromium sends no cookie of ours, and what follows it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.flows.running import Running, running
from tests.stand_ins.apple import KEY_ID, TEAM, AppleStandIn, p8
from tests.stand_ins.serving import served_beside

pytestmark = pytest.mark.browser
CALLBACK = "/sign-in/provider/apple/callback"


class Now:
    """The time of the server and of the browser."""

    @property
    def time(self) -> int:
        return int(time.time())


@dataclass
class Place:
    """The server at 127.0.0.1, and Apple's stand-in at localhost, which is another site for the browser."""

    server: Running
    there: AppleStandIn


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    pem, key = p8()
    (tmp_path / "AuthKey.p8").write_text(pem)
    there = AppleStandIn(clock=Now(), client_id="com.example.web", secret="", client_key=key)
    with served_beside(there):
        section = {
            "issuer": there.origin,
            "client_id": "com.example.web",
            "team_id": TEAM,
            "key_id": KEY_ID,
            "client_key_file": str(tmp_path / "AuthKey.p8"),
            "email_domains": ["*"],
        }
        with running(tmp_path, sections={"providers.apple": section}) as server:
            there.redirect_uris = (f"{server.issuer}{CALLBACK}",)
            yield Place(server, there)
            assert server.troubles() == []


def at_apple(page: Page, place: Place) -> None:
    """From our sign-in page to Apple's."""
    page.goto(f"{place.server.issuer}/sign-in")
    page.click("#provider-apple-submit")
    expect(page.locator("h1")).to_have_text("Sign in to Apple Account")


@pytest.mark.requirement(91)
def test_apples_form_signs_in_though_no_cookie_comes_with_it(chrome: Browser, place: Place) -> None:
    """better-auth#5243."""
    context = chrome.new_context()
    page = context.new_page()
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request) if CALLBACK in request.url else None)
    at_apple(page, place)
    page.click("#continue")
    expect(page.locator("h1")).to_have_text("Profile")
    expect(page.locator("#name")).to_have_value("Grace Hopper")
    posted, got = seen
    assert (posted.method, got.method) == ("POST", "GET")
    assert "cookie" not in posted.all_headers()
    assert "browser" in got.all_headers()["cookie"]
    fields = posted.post_data or ""
    assert "code=" in fields
    assert "Hopper" in fields
    code = fields.partition("code=")[2].partition("&")[0]
    # neither the code nor the name stands in an address that the browser keeps
    assert code not in got.url
    assert "Hopper" not in got.url
    # what the back button asks for
    page.goto(got.url)
    expect(page.locator("h1")).to_have_text("Profile")
    context.close()


def test_cancel_at_apple_leads_back_with_a_sentence(chrome: Browser, place: Place) -> None:
    context = chrome.new_context()
    page = context.new_page()
    at_apple(page, place)
    page.click("#cancel")
    expect(page.locator("#problem")).to_contain_text("finish signing in there")
    context.close()


def test_another_sites_post_of_somebodys_answer_signs_in_nobody(chrome: Browser, place: Place) -> None:
    """Sign-in CSRF: the attacker's own answer, posted by the victim's browser, and the address that it leads to, sent as a link."""
    mallory, victim = chrome.new_context(), chrome.new_context()
    page, theirs = mallory.new_page(), victim.new_page()
    theirs.goto(f"{place.server.issuer}/sign-in")
    at_apple(page, place)
    form = page.locator("form").first.evaluate("form => form.outerHTML")
    theirs.goto(f"{place.there.origin}/auth/keys")
    theirs.set_content(form)
    theirs.click("#continue")
    expect(theirs.locator("#problem")).to_be_visible()
    answer = theirs.url
    assert "said=over" in answer
    theirs.goto(f"{place.server.issuer}/account")
    expect(theirs.locator("h1")).to_have_text("Sign in")
    mallory.close()
    victim.close()
