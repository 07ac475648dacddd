"""Tests of remembered devices in Chromium, with scripts and without: the box, the skipped step, and the page of devices."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect
from pyotp.totp import TOTP

from tests.browser.conftest import NewPerson
from tests.browser.person import PASSWORD, Person

pytestmark = [pytest.mark.browser, pytest.mark.requirement(74, 85)]


def sign_out(grace: Person) -> None:
    """Sign out, up to the sign-in page."""
    grace.press("#sign-out", "Sign out?")
    grace.press("#submit", "You are signed out")
    grace.press("#to-sign-in", "Sign in")


@pytest.mark.in_soak("no-scripts")
def test_the_step_is_skipped_on_a_remembered_device_until_it_is_asked_for_again(
    people: NewPerson, email: str
) -> None:
    grace = people()
    grace.new_account(email, "Grace Host")
    grace.press("#nav-key", "Sign-in methods")
    grace.press("#authenticator-add", "Set up authenticator app")
    app = TOTP(grace.page.inner_text("#key").replace(" ", ""))
    grace.page.fill("#code", app.now())
    grace.press("#submit", "Your recovery codes")
    sign_out(grace)

    grace.enter(email, PASSWORD, "Enter your code")
    expect(grace.page.locator("#trust")).not_to_be_checked()
    grace.page.get_by_label("Don't ask again on this device for 30 days").check()
    grace.page.fill("#code", "000000")
    grace.press("#submit", "Enter your code")
    expect(grace.page.locator("#problem")).to_be_visible()
    expect(grace.page.locator("#trust")).to_be_checked()
    # a code is valid for one sign-in, and the setup used this period's; the next period's code is accepted early
    grace.page.fill("#code", app.at(time.time(), counter_offset=1))
    grace.press("#submit", "Profile")

    for _ in range(2):
        sign_out(grace)
        grace.enter(email, PASSWORD, "Profile")
    grace.press("#nav-device", "Devices")
    expect(grace.page.locator("#remembered-here")).to_have_text("No second step")
    expect(grace.page.locator("#remembered > li")).to_have_count(1)
    grace.press("#remembered-1-rename", "Rename device")
    grace.page.fill("#name", "The red laptop")
    grace.press("#submit", "Devices")
    expect(grace.page.locator("#done")).to_have_text("The device is renamed.")
    expect(grace.page.locator("#remembered strong")).to_have_text("The red laptop")

    # changes of the sign-in methods ask for both steps here, too
    grace.press("#nav-key", "Sign-in methods")
    grace.press("#recovery-submit", "Confirm that it's you")
    grace.page.fill("#password", PASSWORD)
    grace.press("#submit", "Enter your code")
    expect(grace.page.locator("#trust")).to_have_count(0)

    grace.open(f"{grace.places.issuer}/account/devices", "Devices")
    grace.press("#remembered-1-distrust", "Devices")
    expect(grace.page.locator("#done")).to_contain_text("asks for the second step again")
    expect(grace.page.locator("#remembered")).to_have_count(0)
    sign_out(grace)
    grace.enter(email, PASSWORD, "Enter your code")
