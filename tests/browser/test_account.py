"""Tests of the account pages: each action ends what it must end, in the other browser too."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect
from pyotp.totp import TOTP

from tests.browser.conftest import NewPerson
from tests.browser.person import PASSWORD, Person
from tests.waiting import PATIENCE

pytestmark = pytest.mark.browser
IN_SOAK = "no-scripts"
NEW_PASSWORD = "eleven quiet otters sleep"


@pytest.mark.requirement(82, 84)
def test_an_authenticator_app_asks_for_its_code_and_a_recovery_code_works_once(
    people: NewPerson, email: str
) -> None:
    grace = people()
    grace.new_account(email, "Grace Host")
    grace.press("#nav-key", "Sign-in methods")
    grace.press("#authenticator-add", "Set up authenticator app")
    app = TOTP(grace.page.inner_text("#key").replace(" ", ""))
    assert grace.page.locator("#qr").evaluate("(image) => image.complete && image.naturalWidth > 0")
    grace.page.fill("#code", "abc")
    grace.press("#submit", "Set up authenticator app")
    expect(grace.page.locator("#problem")).to_have_attribute("role", "alert")
    assert grace.page.inner_text("#key").replace(" ", "") == app.secret, "the same key, not another"
    grace.page.fill("#code", f"{app.now()[:3]} {app.now()[3:]}")
    grace.press("#submit", "Your recovery codes")
    codes = grace.page.locator("#codes code").all_inner_texts()
    assert len(codes) == len(set(codes)) == 10
    grace.press("#to-methods", "Sign-in methods")
    expect(grace.page.locator("#codes-left")).to_have_text("10 of 10 left")
    grace.press("#sign-out", "Sign out?")
    grace.press("#submit", "You are signed out")
    grace.press("#to-sign-in", "Sign in")
    grace.enter(email, PASSWORD, "Enter your code")
    grace.page.fill("#code", "000000")
    grace.press("#submit", "Enter your code")
    expect(grace.page.locator("#problem")).to_be_visible()
    # a code is valid for one sign-in, and the setup used this period's; the next period's code is accepted early
    grace.page.fill("#code", app.at(time.time(), counter_offset=1))
    grace.press("#submit", "Profile")
    for used, heading in ((codes[0], "Profile"), (codes[0], "Enter a recovery code"), (codes[1], "Profile")):
        other = people()
        other.open(f"{other.places.issuer}/sign-in", "Sign in")
        other.enter(email, PASSWORD, "Enter your code")
        other.press("#other-method", "Enter a recovery code")
        other.page.fill("#code", used)
        other.press("#submit", heading)
    grace.open(f"{grace.places.issuer}/account/methods", "Sign-in methods")
    expect(grace.page.locator("#codes-left")).to_have_text("8 of 10 left")
    grace.press("#recovery-submit", "Your recovery codes")
    grace.press("#to-methods", "Sign-in methods")
    expect(grace.page.locator("#codes-left")).to_have_text("10 of 10 left")
    grace.press("#authenticator-remove-submit", "Confirm that it's you")
    grace.page.fill("#password", PASSWORD)
    grace.press("#submit", "Sign-in methods")
    expect(grace.page.locator("#done")).to_contain_text("removed")


@pytest.mark.requirement(74)
def test_the_devices_page_ends_the_session_of_another_browser(people: NewPerson, email: str) -> None:
    here, there = _two_browsers(people, email)
    there.from_shop_at_once()
    here.press("#nav-device", "Devices")
    expect(here.page.locator("#devices > li")).to_have_count(2)
    other = here.page.locator("#devices > li").filter(has_not_text="This device")
    other.locator("button").click()
    here.arrive("Devices")
    expect(here.page.locator("#done")).to_have_text("That device is signed out.")
    expect(here.page.locator("#devices > li")).to_have_count(1)
    there.open(f"{there.places.issuer}/account", "Sign in")
    expect(there.page.locator("#problem")).to_have_count(0)
    _signed_out_of_the_shop(there)
    here.open(f"{here.places.issuer}/account", "Profile")


def test_a_changed_password_ends_the_session_of_another_browser(people: NewPerson, email: str) -> None:
    here, there = _two_browsers(people, email)
    here.press("#nav-key", "Sign-in methods")
    for current, new, field in (
        ("not the password", NEW_PASSWORD, "current"),
        (PASSWORD, "short", "new"),
        (PASSWORD, PASSWORD, "new"),
    ):
        _change(here, current, new)
        expect(here.page.locator(f"#{field}")).to_have_attribute("aria-invalid", "true")
    _change(here, PASSWORD, NEW_PASSWORD)
    expect(here.page.locator("#done")).to_contain_text("Your password is changed")
    there.press("#nav-apps", "Sign in")
    there.enter(email, PASSWORD, "Sign in")
    expect(there.page.locator("#problem")).to_be_visible()
    # back at the page of the click
    there.enter(email, NEW_PASSWORD, "Connected apps")
    here.press("#nav-person", "Profile")


def test_this_was_not_me_ends_everything_elsewhere(people: NewPerson, email: str) -> None:
    here, there = _two_browsers(people, email)
    here.press("#nav-activity", "Activity")
    expect(here.page.locator("#activity > li").first).to_contain_text("You signed in")
    here.press("#report-1-submit", "Step 2 of 4: a new password")
    expect(here.page.locator("#done")).to_contain_text("Every other device is signed out")
    there.press("#nav-person", "Sign in")
    here.press("#next", "Step 3 of 4: your sign-in methods")
    here.press("#next", "Step 4 of 4: apps and API keys")
    here.press("#nav-activity", "Activity")
    expect(here.page.locator("#activity")).to_contain_text("You told us that something wasn't you")


@pytest.mark.requirement(74)
def test_a_connected_app_is_disconnected(people: NewPerson, email: str) -> None:
    grace = people()
    grace.new_account(email, "Grace Host")
    grace.from_shop_at_once()
    grace.open(f"{grace.places.issuer}/account/apps", "Connected apps")
    expect(grace.page.locator("#app-1")).to_have_text("Corner Shop")
    grace.press("#disconnect-1-submit", "Connected apps")
    expect(grace.page.locator("#done")).to_have_text("The app is disconnected.")
    _signed_out_of_the_shop(grace)
    grace.press("#sign-in", "Connect Corner Shop to your account?")


def test_name_and_language_are_saved(people: NewPerson, email: str) -> None:
    grace = people()
    grace.new_account(email, "Grace Host")
    grace.page.fill("#name", "Zoë <b>Host</b>")
    grace.page.select_option("#locale", "de")
    grace.press("#submit", "Profil")
    expect(grace.page.locator("html")).to_have_attribute("lang", "de")
    expect(grace.page.locator("#name")).to_have_value("Zoë <b>Host</b>")
    for tab, heading in (("key", "Anmeldearten"), ("device", "Geräte"), ("activity", "Aktivität")):
        grace.page.click(f"#nav-{tab}")
        expect(grace.page.locator("h1")).to_have_text(heading)


def _two_browsers(people: NewPerson, email: str) -> tuple[Person, Person]:
    here, there = people(), people()
    here.new_account(email, "Grace Host")
    there.sign_in(email)
    return here, there


def _change(grace: Person, current: str, new: str) -> None:
    grace.page.fill("#current", current)
    grace.page.fill("#new", new)
    grace.press("#password-submit", "Sign-in methods")


def _signed_out_of_the_shop(person: Person) -> None:
    """The server notifies the app (Back-Channel Logout), or the app notices at its next refresh: soon, and without a click."""
    deadline = time.monotonic() + PATIENCE
    while True:
        person.page.goto(person.places.shop)
        if person.page.locator("#sign-in").count():
            return
        assert time.monotonic() < deadline, "the app still shows orders"
