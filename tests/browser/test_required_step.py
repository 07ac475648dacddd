"""Tests of a second step that a role demands: it is set up in the middle of an app's sign-in, and leads on to the app."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from pyotp.totp import TOTP

from doorward_demo.dev.folder import NAME
from tests.browser.conftest import NewPerson
from tests.browser.person import PASSWORD
from tests.demo import running

pytestmark = [pytest.mark.browser, pytest.mark.requirement(84, 85)]
IN_SOAK = "no-scripts"


def test_a_role_demands_a_second_step_on_the_way_to_an_app(
    people: NewPerson, dev: running.Dev, email: str, scripts: bool
) -> None:
    grace = people()
    grace.new_account(email, "Grace Host")
    grace.press("#sign-out", "Sign out?")
    grace.press("#submit", "You are signed out")
    role = f"treasurer-{scripts}".lower()
    for command in (("role", "create", role, "--second-factor"), ("user", "grant-role", email, role)):
        done = running.run(
            dev.folder, *command, "--config", str(dev.folder / NAME / "doorward.toml"), "--json"
        )
        assert done.returncode == 0, done.stderr
    grace.from_shop()
    grace.enter(email, PASSWORD, "Set up a second step")
    expect(grace.page.locator("#because")).to_contain_text("Your role here asks for one.")
    assert grace.page.locator("#later-submit").count() == 0
    grace.press("#enrol-totp", "Set up authenticator app")
    app = TOTP(grace.page.inner_text("#key").replace(" ", ""))
    grace.page.fill("#code", "000")
    grace.press("#submit", "Set up authenticator app")
    expect(grace.page.locator("#problem")).to_be_visible()
    grace.press("#cancel", "Set up a second step")
    # nobody is signed in meanwhile
    other = grace.tab()
    grace.open(f"{grace.places.issuer}/account", "Sign in")
    grace.page.close()
    grace.page = other
    grace.press("#enrol-totp", "Set up authenticator app")
    app = TOTP(grace.page.inner_text("#key").replace(" ", ""))
    grace.page.fill("#code", app.now())
    grace.press("#submit", "Your recovery codes")
    expect(grace.page.locator("#done")).to_contain_text("Your authenticator app is set up")
    code = grace.page.locator("#codes code").last.inner_text()
    grace.press("#to-methods", "Connect Corner Shop to your account?")
    grace.press("#allow", re.compile("^Hello, "))
    # the last second step cannot be removed, and the next sign-in asks for it
    grace.open(f"{grace.places.issuer}/account/methods", "Sign-in methods")
    grace.press("#authenticator-remove-submit", "Confirm that it's you")
    grace.page.fill("#password", PASSWORD)
    grace.press("#submit", "Sign-in methods")
    assert "You need a second step here." in grace.problem()
    again = people()
    again.open(f"{again.places.issuer}/sign-in", "Sign in")
    again.enter(email, PASSWORD, "Enter your code")
    again.press("#other-method", "Enter a recovery code")
    again.page.fill("#code", code)
    again.press("#submit", "Profile")
    again.press("#nav-activity", "Activity")
    expect(again.page.locator("#activity")).to_contain_text("You added an authenticator app")
