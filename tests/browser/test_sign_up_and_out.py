"""Tests of a new person's way from the demo app to an account, to orders, and out, with scripts and without."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPerson
from tests.browser.person import PASSWORD

pytestmark = pytest.mark.browser


def test_from_the_demo_app_to_an_account_to_orders_and_out(people: NewPerson, email: str) -> None:
    grace = people()
    grace.from_shop()
    grace.sign_up(email, "Grace Host")
    code, _ = grace.mail(email, "Confirm")
    grace.page.fill("#code", "000000" if code != "000000" else "111111")
    grace.press("#submit", "Check your email")
    assert "code" in grace.problem()
    grace.page.fill("#code", code)
    grace.press("#submit", "Connect Corner Shop to your account?")
    grace.press("#allow", "Hello, Grace Host")
    expect(grace.page.locator("#orders tbody tr")).to_have_count(3)
    for details in grace.page.locator("summary").all():
        details.click()
    grace.page.fill("#item", "Bell")
    grace.press("#place", "Hello, Grace Host")
    expect(grace.page.locator("#placed-problem")).to_contain_text("403")
    grace.press("#sign-out", "See your orders")
    expect(grace.page.locator("#done")).to_contain_text("signed out")
    grace.open(f"{grace.places.issuer}/account", "Sign in")
    grace.from_shop()
    grace.enter(email, PASSWORD, "Hello, Grace Host")


@pytest.mark.in_soak("no-scripts")
def test_sign_up_by_the_link_in_the_mail_instead_of_the_code(people: NewPerson, email: str) -> None:
    grace = people()
    grace.from_shop()
    grace.sign_up(email, "Grace Host")
    _, link = grace.mail(email, "Confirm")
    waiting = grace.tab()
    grace.open(link, "Confirm your email address")
    grace.open(link, "Confirm your email address")
    grace.press("#submit", "Connect Corner Shop to your account?")
    grace.press("#allow", "Hello, Grace Host")
    # the tab that still shows «Check your email» offers a way on
    grace.page = waiting
    grace.page.click("#to-sign-in")
    grace.arrive("Hello, Grace Host")
    grace.open(link, "This link no longer works")
    assert grace.page.locator("#ways a").count() >= 1


@pytest.mark.in_soak("no-scripts")
def test_a_link_opened_in_another_browser_confirms_nothing(people: NewPerson, email: str) -> None:
    grace, mallory = people(), people()
    grace.from_shop()
    grace.sign_up(email, "Grace Host")
    code, link = grace.mail(email, "Confirm")
    mallory.open(link, "Open this link where you started")
    mallory.press("#again", "Create an account")
    grace.page.fill("#code", code)
    grace.press("#submit", "Connect Corner Shop to your account?")


@pytest.mark.in_soak("no-scripts")
def test_an_error_on_the_sign_up_page_is_beside_its_field(people: NewPerson, email: str) -> None:
    grace = people()
    grace.from_shop()
    grace.press("#to-sign-up", "Create an account")
    grace.page.fill("#email", email)
    grace.page.fill("#password", "too short")
    grace.page.fill("#name", "Grace Host")
    grace.press("#submit", "Create an account")
    assert grace.page.title().startswith("Error:")
    field = grace.page.locator("#password")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("at least 15 characters", re.IGNORECASE))
    expect(grace.page.locator("#email")).to_have_value(email)
    expect(grace.page.locator("#name")).to_have_value("Grace Host")
    expect(grace.page.locator("#app")).to_have_text("to continue to Corner Shop")


@pytest.mark.in_soak("no-scripts")
def test_another_message_replaces_the_first(people: NewPerson, email: str) -> None:
    grace = people()
    grace.from_shop()
    grace.sign_up(email, "Grace Host")
    first, _ = grace.mail(email, "Confirm")
    grace.press("#resend-submit", "Check your email")
    expect(grace.page.locator("#resent")).to_be_visible()
    second, _ = grace.mail(email, "Confirm")
    assert first != second
    grace.page.fill("#code", second)
    grace.press("#submit", "Connect Corner Shop to your account?")


@pytest.mark.in_soak("no-scripts")
@pytest.mark.requirement(80)
def test_signing_up_twice_with_one_address_tells_only_its_owner(people: NewPerson, email: str) -> None:
    grace, other = people(), people()
    grace.new_account(email, "Grace Host")
    other.from_shop()
    other.sign_up(email, "Not Grace")
    expect(other.page.locator("#sent")).to_contain_text("If we can use")
