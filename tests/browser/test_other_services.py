"""Sign-in with an account of another service in a real browser: cookies after the way back, the back button, two tabs, and Cancel."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPerson

pytestmark = pytest.mark.browser
IN_SOAK = "no-scripts"
THERE = "Sign in at Example"
CONSENT = "Connect Corner Shop to your account?"
HELLO = re.compile("^Hello, Grace")


@pytest.mark.requirement(89, 91)
def test_the_way_there_and_back_ends_at_the_app(people: NewPerson) -> None:
    grace = people()
    answers: list[str] = []
    grace.page.on(
        "request", lambda asked: answers.append(asked.url) if "/example/callback?" in asked.url else None
    )
    grace.from_shop()
    grace.press("#provider-example-submit", THERE)
    grace.press("#as-grace", re.compile(f"^Hello, Grace|{re.escape(CONSENT)}$"))
    if grace.page.locator("#allow").count():
        grace.press("#allow", HELLO)
    # what the back button asks for: the answer that was used goes on from where the sign-in stands
    (answer,) = answers
    grace.open(answer, HELLO)
    grace.open(f"{grace.places.issuer}/account", "Profile")


def test_cancel_leads_back_to_the_sign_in_with_a_sentence(people: NewPerson) -> None:
    grace = people()
    grace.from_shop()
    grace.press("#provider-example-submit", THERE)
    grace.press("#cancel", "Sign in")
    assert "You didn't finish signing in there" in grace.problem().replace("’", "'")
    expect(grace.page.locator("#app")).to_have_text("to continue to Corner Shop")
    grace.press("#provider-example-submit", THERE)


@pytest.mark.requirement(91)
def test_two_tabs_each_end_where_they_began(people: NewPerson) -> None:
    grace = people()
    grace.from_shop()
    grace.press("#provider-example-submit", THERE)
    first = grace.tab()
    grace.open(f"{grace.places.issuer}/account", "Sign in")
    grace.press("#provider-example-submit", THERE)
    grace.press("#as-grace", "Profile")
    first.click("#as-grace")
    expect(first.locator("h1")).to_have_text(re.compile(f"^Hello, Grace|{re.escape(CONSENT)}$"))


@pytest.mark.requirement(89)
def test_an_account_that_exists_is_connected_by_its_owner_alone(people: NewPerson) -> None:
    alice = people()
    alice.open(f"{alice.places.issuer}/sign-in", "Sign in")
    alice.press("#provider-example-submit", THERE)
    alice.press("#as-alice", "Connect your account")
    expect(alice.page.locator("#why")).to_contain_text("alice@example.com")
    alice.press("#submit", "Sign in")
    alice.enter("alice@example.com", "seven green lanterns", "Connect your account")
    alice.press("#yes", "Connected accounts")
    expect(alice.page.locator("#done")).to_contain_text("The account is connected")
    # so that the next test finds her as she was
    alice.press("#disconnect-1-submit", "Connected accounts")
    expect(alice.page.locator("#done")).to_contain_text("The account is disconnected")
