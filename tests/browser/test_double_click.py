"""Tests of a real double click on buttons: one effect, its page, and no error. With scripts and without."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing

import pytest
from playwright.sync_api import expect
from pyotp.totp import TOTP

from doorward_demo.dev.folder import NAME
from tests.browser.conftest import NewPerson
from tests.browser.person import PASSWORD, Person
from tests.demo import running

pytestmark = [pytest.mark.browser, pytest.mark.requirement(100)]
# `page.js` holds the second click back: without scripts the server meets it
IN_SOAK = "scripts"
NEW_PASSWORD = "eleven quiet otters sleep"
HANDS = (0, 40, 90, 150)
"""Milliseconds between press and release: of immediate clicks Chromium itself drops the first form."""


def twice(person: Person, selector: str, heading: str | re.Pattern[str], hand: int = 90) -> None:
    """Double click, and expect the next page."""
    person.page.dblclick(selector, delay=hand, no_wait_after=True)
    person.arrive(heading)
    expect(person.page.locator("#problem")).to_have_count(0)


def lines(dev: running.Dev, email: str, kind: str) -> int:
    """How often the audit log has this event of this person."""
    with closing(sqlite3.connect(dev.folder / NAME / "doorward.db", timeout=10)) as database:
        found = database.execute(
            "SELECT count(*) FROM audit WHERE kind = ? AND account_id = (SELECT id FROM accounts WHERE email = ?)",
            (kind, email),
        ).fetchone()
    return found[0]


def test_a_double_click_on_sign_in(people: NewPerson, dev: running.Dev, email: str) -> None:
    people().new_account(email, "Grace Host")
    before = lines(dev, email, "sign_in.succeeded")
    for hand in HANDS:
        grace = people()
        grace.open(f"{grace.places.issuer}/sign-in", "Sign in")
        grace.page.fill("#identifier", email)
        grace.page.fill("#password", PASSWORD)
        twice(grace, "#submit", "Profile", hand)
    assert lines(dev, email, "sign_in.succeeded") == before + len(HANDS)


def test_a_double_click_on_the_sign_up_code(people: NewPerson, dev: running.Dev, email: str) -> None:
    grace = people()
    grace.open(f"{grace.places.issuer}/sign-in", "Sign in")
    grace.press("#to-sign-up", "Create an account")
    grace.page.fill("#email", email)
    grace.page.fill("#password", PASSWORD)
    twice(grace, "#submit", "Check your email")
    code, _ = grace.mail(email, "")
    grace.page.fill("#code", code)
    twice(grace, "#submit", "Profile")
    assert lines(dev, email, "account.created") == 1


def test_a_double_click_on_the_password_change(people: NewPerson, dev: running.Dev, email: str) -> None:
    grace = people()
    grace.new_account(email, "Grace Host")
    old = PASSWORD
    for number, hand in enumerate(HANDS):
        new = f"{NEW_PASSWORD} {number}"
        grace.open(f"{grace.places.issuer}/account/methods", "Sign-in methods")
        grace.page.fill("#current", old)
        grace.page.fill("#new", new)
        twice(grace, "#password-submit", "Sign-in methods", hand)
        expect(grace.page.locator("#done")).to_contain_text("Your password is changed")
        old = new
    assert lines(dev, email, "password.changed") == len(HANDS)
    people().sign_in(email, old)


def test_a_double_click_on_the_second_factor(people: NewPerson, dev: running.Dev, email: str) -> None:
    grace = people()
    grace.new_account(email, "Grace Host")
    grace.open(f"{grace.places.issuer}/account/methods/authenticator", "Set up authenticator app")
    app = TOTP(grace.page.inner_text("#key").replace(" ", ""))
    grace.page.fill("#code", app.now())
    twice(grace, "#submit", "Your recovery codes")
    codes = grace.page.locator("#codes code").all_inner_texts()
    assert lines(dev, email, "second_factor.added") == 1
    for typed in (app.at(time.time(), counter_offset=1), codes[0]):
        again = people()
        again.open(f"{again.places.issuer}/sign-in", "Sign in")
        again.enter(email, PASSWORD, "Enter your code")
        again.page.fill("#code", typed)
        twice(again, "#submit", "Profile")
    assert lines(dev, email, "second_factor.failed") == 0


def test_a_double_click_on_consent(people: NewPerson, dev: running.Dev, email: str) -> None:
    grace = people()
    grace.new_account(email, "Grace Host")
    grace.open(grace.places.shop, "See your orders")
    grace.press("#sign-in", "Connect Corner Shop to your account?")
    grace.page.dblclick("#allow", delay=90, no_wait_after=True)
    grace.arrive(re.compile("^Hello, "))
    assert lines(dev, email, "consent.granted") == 1
