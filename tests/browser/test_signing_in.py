"""Tests of sign-in with wrong and forgotten passwords, expired steps, the back button, and two tabs: every page offers a way
on."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import expect

from doorward_demo.dev.folder import NAME
from tests.browser.conftest import NewPerson
from tests.browser.person import PASSWORD, Person
from tests.demo import running
from tests.waiting import PATIENCE

pytestmark = pytest.mark.browser
IN_SOAK = "no-scripts"
ALICE = ("alice@example.com", "seven green lanterns")
IN_THE_SHOP = "Hello, Alice Archer"
NEW_PASSWORD = "eleven quiet otters sleep"


@pytest.mark.requirement(80)
def test_a_wrong_password_shows_the_one_sentence_and_keeps_the_address(people: NewPerson, email: str) -> None:
    said: list[str] = []
    for address in (ALICE[0], email):
        alice = people()
        alice.from_shop()
        alice.enter(address, "not the password", "Sign in")
        said.append(alice.problem())
        expect(alice.page.locator("#problem")).to_have_attribute("role", "alert")
        expect(alice.page.locator("#identifier")).to_have_value(address)
        expect(alice.page.locator("#password")).to_have_value("")
        expect(alice.page.locator("#password")).to_be_focused()
        expect(alice.page.locator("#app")).to_have_text("to continue to Corner Shop")
        assert alice.page.title().startswith("Error:")
    assert said == ["That email and password don't match."] * 2


def test_a_forgotten_password_is_replaced_and_the_new_one_signs_in(people: NewPerson, email: str) -> None:
    grace = people()
    grace.new_account(email, "Grace Host")
    for way in ("code", "link"):
        again = people()
        again.from_shop()
        again.press("#to-reset", "Reset your password")
        again.page.fill("#email", email)
        again.press("#submit", "Check your email")
        code, link = again.mail(email, "password")
        if way == "code":
            again.page.fill("#code", code)
            again.press("#submit", "Choose a new password")
        else:
            again.open(link, "Reset your password")
            again.press("#submit", "Choose a new password")
        again.page.fill("#password", "short")
        again.press("#submit", "Choose a new password")
        expect(again.page.locator("#password")).to_have_attribute("aria-invalid", "true")
        again.page.fill("#password", f"{NEW_PASSWORD} {way}")
        again.press("#submit", "Sign in")
        expect(again.page.locator("#done")).to_contain_text("Your new password is set")
        expect(again.page.locator("#identifier")).to_have_value(email)
        again.enter(email, PASSWORD, "Sign in")
        expect(again.page.locator("#problem")).to_be_visible()
        again.enter(email, f"{NEW_PASSWORD} {way}", "Connect Corner Shop to your account?")
    # the session of the other browser has ended
    grace.open(f"{grace.places.issuer}/account", "Sign in")


def test_an_expired_step_is_reported_once_and_keeps_the_destination(
    people: NewPerson, dev: running.Dev
) -> None:
    alice = people()
    alice.from_shop()
    first = alice.page.url
    _run_out(dev, first.partition("flow=")[2])
    alice.enter(*ALICE, "Sign in")
    assert alice.page.url != first
    assert alice.problem().startswith("This page was out of date")
    expect(alice.page.locator("#app")).to_have_text("to continue to Corner Shop")
    alice.page.fill("#identifier", ALICE[0])
    alice.page.fill("#password", ALICE[1])
    alice.page.click("#submit")
    _allow_if_asked(alice)


def test_the_back_button_after_signing_in_does_no_harm(people: NewPerson) -> None:
    alice = people()
    alice.from_shop()
    sign_in = alice.page.url
    alice.page.fill("#identifier", ALICE[0])
    alice.page.fill("#password", ALICE[1])
    alice.page.click("#submit")
    _allow_if_asked(alice)
    steps = 0
    while alice.page.go_back() is not None and alice.page.url != "about:blank":
        # consent page and sign-in page are finished, and lead to their destination
        alice.arrive(IN_THE_SHOP)
        steps += 1
    assert steps >= 2
    alice.open(sign_in, IN_THE_SHOP)
    alice.open(f"{alice.places.issuer}/account", "Profile")


def test_two_tabs_each_finish_their_own_sign_in(people: NewPerson) -> None:
    alice = people()
    alice.from_shop()
    first = alice.tab()
    alice.from_shop()
    second = alice.page
    alice.page = first
    alice.page.fill("#identifier", ALICE[0])
    alice.page.fill("#password", ALICE[1])
    alice.page.click("#submit")
    _allow_if_asked(alice)
    alice.page = second
    alice.enter(*ALICE, IN_THE_SHOP)


def test_an_address_without_an_app_leads_to_a_page_with_a_way_on(people: NewPerson) -> None:
    alice = people()
    issuer = alice.places.issuer
    alice.open(f"{issuer}/authorize?client_id=app_nobody&response_type=code", "We don't know this app")
    expect(alice.page.locator("#request-id")).not_to_be_empty()
    alice.page.locator("#ways a").first.click()
    alice.arrive("Doorward")
    alice.open(f"{issuer}/nothing-here", "There is nothing here")
    alice.page.locator("#ways a").first.click()
    alice.arrive("Doorward")


def _allow_if_asked(alice: Person) -> None:
    alice.page.wait_for_selector("#allow, #orders")
    if alice.page.locator("#allow").count():
        alice.page.click("#allow")
    alice.arrive(IN_THE_SHOP)


def _run_out(dev: running.Dev, flow: str) -> None:
    """Let half an hour pass."""
    with closing(sqlite3.connect(dev.folder / NAME / "doorward.db", timeout=PATIENCE)) as database:
        changed = database.execute(
            "UPDATE sign_ins SET expires_at = expires_at - 3600,"
            " doc = json_set(doc, '$.expires_at', expires_at - 3600) WHERE id = ?",
            (flow,),
        )
        database.commit()
        assert changed.rowcount == 1
