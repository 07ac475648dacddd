"""Tests of stale tabs and reloaded pages: the person reaches their destination with at most one more entry."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPerson
from tests.browser.person import PASSWORD, Person

pytestmark = [pytest.mark.browser, pytest.mark.requirement(100)]
IN_SOAK = "no-scripts"
ALICE = ("alice@example.com", "seven green lanterns")
STALE = "This page was out of date, so we didn't use what you sent. Please try again."
FOR_THE_SHOP = "to continue to Corner Shop"
IN_THE_SHOP = re.compile("^(Hello, |Connect Corner Shop)")


def _sign_out_elsewhere(person: Person) -> None:
    here = person.tab()
    person.open(f"{person.places.issuer}/sign-in", "Sign in")
    person.enter(*ALICE, "Profile")
    person.press("#sign-out", "Sign out?")
    person.press("#submit", "You are signed out")
    person.page.close()
    person.page = here


def _lose_cookies(person: Person) -> None:
    # the server's cookies only: cookies ignore ports, and the app has its own
    person.context.clear_cookies(name=re.compile("^(__Host-)?dw_"))


@pytest.mark.parametrize("made_stale", [_sign_out_elsewhere, _lose_cookies], ids=["signed out", "no cookies"])
def test_a_stale_sign_in_page_reports_it_once_and_continues_to_the_app(
    people: NewPerson, made_stale: Callable[[Person], None]
) -> None:
    alice = people()
    alice.from_shop()
    made_stale(alice)
    alice.enter(*ALICE, "Sign in")
    assert alice.problem() == STALE
    expect(alice.page.locator("#app")).to_have_text(FOR_THE_SHOP)
    expect(alice.page.locator("#identifier")).to_have_value(ALICE[0])
    alice.page.fill("#password", ALICE[1])
    alice.press("#submit", IN_THE_SHOP)


@pytest.mark.parametrize("made_stale", [_sign_out_elsewhere, _lose_cookies], ids=["signed out", "no cookies"])
def test_a_stale_consent_page_reports_it_once_and_continues_to_the_app(
    people: NewPerson, email: str, made_stale: Callable[[Person], None]
) -> None:
    people().new_account(email, "Grace Host")
    grace = people()
    grace.from_shop()
    grace.enter(email, PASSWORD, "Connect Corner Shop to your account?")
    made_stale(grace)
    grace.press("#allow", "Sign in")
    assert grace.problem() == STALE
    expect(grace.page.locator("#app")).to_have_text(FOR_THE_SHOP)
    grace.enter(email, PASSWORD, "Connect Corner Shop to your account?")
    grace.press("#allow", IN_THE_SHOP)


@pytest.mark.parametrize("again", ["reload", "address"])
def test_a_reload_after_a_wrong_password_keeps_the_app(people: NewPerson, again: str) -> None:
    alice = people()
    alice.from_shop()
    alice.enter(ALICE[0], "not the password", "Sign in")
    assert "flow=" in alice.page.url
    if again == "reload":
        alice.page.reload()
    else:
        alice.page.goto(alice.page.url)
    alice.arrive("Sign in")
    expect(alice.page.locator("#app")).to_have_text(FOR_THE_SHOP)
    alice.enter(*ALICE, IN_THE_SHOP)


def test_a_reload_after_a_wrong_code_keeps_the_app(people: NewPerson, email: str) -> None:
    grace = people()
    grace.from_shop()
    grace.sign_up(email, "Grace Host")
    grace.page.fill("#code", "000000")
    grace.press("#submit", "Check your email")
    assert grace.problem().startswith("That code didn't work")
    grace.open(grace.page.url, "Check your email")
    code, _ = grace.mail(email, "")
    grace.page.fill("#code", code)
    grace.press("#submit", IN_THE_SHOP)


def test_a_stale_account_form_reports_it(people: NewPerson, email: str) -> None:
    grace = people()
    grace.new_account(email, "Grace Host")
    grace.page.fill("#name", "Another Name")
    _lose_cookies(grace)
    grace.press("#submit", "Sign in")
    assert grace.problem() == STALE
    grace.enter(email, PASSWORD, "Profile")
    expect(grace.page.locator("#name")).to_have_value("Grace Host")


def test_a_reload_after_a_button_leads_to_its_page(people: NewPerson, email: str) -> None:
    grace = people()
    grace.new_account(email, "Grace Host")
    grace.open(f"{grace.places.issuer}/account/methods", "Sign-in methods")
    grace.page.fill("#current", "not the password")
    grace.page.fill("#new", "eleven quiet otters sleep")
    grace.press("#password-submit", "Sign-in methods")
    assert grace.page.url.endswith("/account/methods/password")
    grace.open(grace.page.url, "Sign-in methods")
