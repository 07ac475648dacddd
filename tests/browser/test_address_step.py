"""The address step in a real browser: a provider states an address that nobody confirmed, so it is asked for and proven by a code."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPerson

pytestmark = [pytest.mark.browser, pytest.mark.requirement(89)]
IN_SOAK = "no-scripts"


def test_an_address_that_nobody_confirmed_is_proven_on_the_way_to_the_app(
    people: NewPerson, email: str
) -> None:
    mallory = people()
    mallory.from_shop()
    mallory.press("#provider-example-submit", "Sign in at Example")
    mallory.press("#as-mallory", "Your email address")
    expect(mallory.page.locator("#app")).to_have_text("to continue to Corner Shop")
    mallory.page.fill("#email", email)
    mallory.press("#submit", "Check your email")
    outbox = mallory.context.new_page()
    outbox.goto(f"{mallory.places.issuer}/_dev/outbox")
    code = outbox.locator("article", has_text=f"To {email}").first.locator(".big-code").inner_text()
    outbox.close()
    last = int(code[-1])
    mallory.page.fill("#code", f"{code[:-1]}{(last + 1) % 10}")
    mallory.press("#submit", "Check your email")
    expect(mallory.page.locator("#problem, [aria-invalid=true]").first).to_be_visible()
    mallory.page.fill("#code", code)
    mallory.press("#submit", "Connect Corner Shop to your account?")
    expect(mallory.page.locator("#account")).to_contain_text(email)
    mallory.press("#allow", re.compile("^Hello, "))
