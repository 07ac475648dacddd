"""Tests that another site cannot end a session by loading /logout: as a picture, in a frame, by a form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.foreign import ForeignApp
from tests.browser.person import Person, person
from tests.browser.watched import Checked
from tests.demo import running

pytestmark = pytest.mark.browser


@pytest.fixture
def grace(chrome: Browser, dev: running.Dev, checked: Checked) -> Iterator[Person]:
    """A person whose browser may report a blocked load: blocking our page on another site is intended."""
    made = person(chrome, dev.state.places, checked, scripts=True)
    yield made
    made.context.close()


def connected(grace: Person, kites: ForeignApp, email: str) -> str:
    """Grace is signed in to the app at the other site, which has her ID token."""
    grace.new_account(email, "Grace Host")
    grace.page.goto(kites.begin())
    grace.press("#connect", "Connect Kite Club to your account?")
    grace.page.click("#allow")
    expect(grace.page.locator("#answer")).to_have_text("yes")
    return kites.redeem()["id_token"]


def signed_in(grace: Person) -> bool:
    """Whether the account pages open in another tab."""
    tab = grace.context.new_page()
    tab.goto(f"{grace.places.issuer}/account")
    heading = tab.locator("h1").inner_text()
    tab.close()
    return heading == "Profile"


@pytest.mark.requirement(75, 100)
@pytest.mark.parametrize("how", ["img", "iframe", pytest.param("frame", marks=pytest.mark.soak), "form"])
def test_a_log_out_loaded_by_another_site_ends_nothing(
    grace: Person, kites: ForeignApp, email: str, how: str
) -> None:
    hint = connected(grace, kites, email)
    logout = f"{grace.places.issuer}/logout"
    # requests that an attacker can send; and those that only the app itself could, but from inside its page
    tried = [{}, {"confirm": "yes"}, {"client_id": kites.client_id, "confirm": "yes"}]
    if how != "form":
        tried.append({"id_token_hint": hint})
    for fields in tried:
        with grace.page.expect_request(re.compile(r"/logout(\?|$)")):
            grace.page.goto(kites.embedding(how, f"{logout}?{urlencode(fields)}" if fields else logout))
        grace.page.wait_for_load_state("load")
        if how == "form":
            expect(grace.page.locator("h1")).to_have_text("Sign out?")
        assert signed_in(grace), fields


@pytest.mark.requirement(75, 100)
def test_a_browser_without_its_cookie_is_asked_and_gets_a_true_answer(
    grace: Person, kites: ForeignApp, email: str, chrome: Browser
) -> None:
    hint = connected(grace, kites, email)
    elsewhere = chrome.new_context()
    page = elsewhere.new_page()
    page.goto(f"{grace.places.issuer}/logout?{urlencode({'id_token_hint': hint})}")
    expect(page.locator("h1")).to_have_text("Sign out?")
    expect(page.locator(".lead")).to_contain_text("Kite Club asks to end the sign-in")
    assert signed_in(grace)
    page.click("#submit")
    expect(page.locator("h1")).to_have_text("You are signed out")
    assert not signed_in(grace)
    elsewhere.close()


@pytest.mark.requirement(75)
def test_an_apps_form_signs_out_and_its_id_token_is_in_no_address_of_ours(
    grace: Person, kites: ForeignApp, email: str
) -> None:
    hint = connected(grace, kites, email)
    asked: list[str] = []
    grace.page.on("request", lambda request: asked.append(request.url))
    fields = urlencode({"id_token_hint": hint})
    grace.page.goto(kites.embedding("form", f"{grace.places.issuer}/logout?{fields}"))
    expect(grace.page.locator("h1")).to_have_text("You are signed out")
    assert not signed_in(grace)
    ours = [url for url in asked if url.startswith(grace.places.issuer)]
    assert any(url.endswith("/logout") for url in ours)
    assert not any(hint[:20] in url for url in ours)
