"""«This wasn't me» in a real browser: the link of a mail, opened signed out, and the four steps by clicks."""

from __future__ import annotations

import pytest

from tests.browser.conftest import NewPerson
from tests.browser.person import PASSWORD, Person

pytestmark = [pytest.mark.browser, pytest.mark.requirement(83, 94)]
IN_SOAK = "no-scripts"
THIEFS = "seven borrowed umbrellas dry"
NEW = "walrus canyon velvet twelve"


def not_me_link(owner: Person, email: str) -> str:
    """The link in the newest mail to this address."""
    tab = owner.context.new_page()
    tab.goto(f"{owner.places.issuer}/_dev/outbox")
    newest = tab.locator("article", has_text=f"To {email}").first
    link = newest.locator('.text a[href*="/not-me?"]').get_attribute("href")
    tab.close()
    assert link is not None
    return link


def test_an_owner_who_is_signed_out_takes_the_account_back_in_four_steps(
    people: NewPerson, email: str
) -> None:
    owner, thief = people(), people()
    issuer = owner.places.issuer
    owner.new_account(email, "Grace Host")
    thief.sign_in(email)
    thief.open(f"{issuer}/account/methods", "Sign-in methods")
    thief.page.fill("#current", PASSWORD)
    thief.page.fill("#new", THIEFS)
    thief.press("#password-submit", "Sign-in methods")
    owner.open(f"{issuer}/account", "Sign in")
    link = not_me_link(owner, email)
    # what scanners, previews and browsers load ahead changes nothing, nor does opening it twice
    ahead = {"purpose": "prefetch", "sec-purpose": "prefetch;prerender"}
    for asked in (owner.context.request.get(link, headers=ahead), owner.context.request.head(link)):
        assert asked.ok
    for _ in range(2):
        owner.open(link, "Was this you?")
    thief.open(f"{issuer}/account", "Profile")
    owner.press("#submit-not-me", "All access has ended")
    thief.open(f"{issuer}/account", "Sign in")
    owner.press("#reset", "Reset your password")
    owner.page.fill("#email", email)
    owner.press("#submit", "Check your email")
    code, _ = owner.mail(email, "")
    owner.page.fill("#code", code)
    owner.press("#submit", "Choose a new password")
    owner.page.fill("#password", NEW)
    owner.press("#submit", "Sign in")
    owner.enter(email, NEW, "Step 3 of 4: your sign-in methods")
    owner.press("#next", "Step 4 of 4: apps and API keys")
    owner.press("#next", "Activity")
    owner.open(link, "This link was used before")
    thief.enter(email, THIEFS, "Sign in")
    assert "don't match" in thief.problem().replace("’", "'")
