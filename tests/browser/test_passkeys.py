"""Tests of passkeys in Chromium, with its virtual authenticator: added, used by suggestion and by button, refused, removed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from doorward.features.authn.factors.passkeys.rules.assertion import CLOCKS_APART
from doorward_demo.dev.folder import NAME
from tests.browser.conftest import NewPerson
from tests.browser.person import PASSWORD, Person, person
from tests.browser.virtual_authenticator import Authenticator, attach
from tests.browser.watched import Checked
from tests.demo import running
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.requirement(86, 88)]


@pytest.fixture
def grace(chrome: Browser, dev: running.Dev, checked: Checked) -> Iterator[Person]:
    """A person whose browser runs scripts. No page may have reported a fault afterwards."""
    one = person(chrome, dev.state.places, checked, scripts=True)
    yield one
    assert one.leave() == []


def add_passkey(grace: Person) -> None:
    """From any account page."""
    grace.press("#nav-key", "Sign-in methods")
    grace.press("#passkey-add", "Add a passkey")
    grace.press("#passkey-create", "Sign-in methods")
    expect(grace.page.locator("#done")).to_contain_text("Your passkey is added")


def sign_out(grace: Person, authenticator: Authenticator) -> None:
    """Sign out, up to the sign-in page, on which nothing happens."""
    grace.press("#sign-out", "Sign out?")
    grace.press("#submit", "You are signed out")
    with authenticator.asleep():
        grace.press("#to-sign-in", "Sign in")
        expect(grace.page.locator("#passkey-use")).to_be_visible()


def with_passkey(grace: Person, email: str, *, synced: bool = True) -> Authenticator:
    """A new account with a passkey, signed out, at the sign-in page."""
    grace.new_account(email, "Grace Host")
    authenticator = attach(grace.page, synced=synced)
    add_passkey(grace)
    sign_out(grace, authenticator)
    return authenticator


def test_a_passkey_signs_in_by_suggestion_and_by_button(grace: Person, email: str) -> None:
    authenticator = with_passkey(grace, email)
    assert [one["isResidentCredential"] for one in authenticator.credentials()] == [True]
    grace.press("#passkey-use", "Profile")
    sign_out(grace, authenticator)
    # the suggestion is chosen as soon as the page asks for it
    grace.page.reload()
    grace.arrive("Profile")


def test_the_sign_in_page_with_its_passkey_button_is_at_most_40_kb_in_4_requests(grace: Person) -> None:
    """As they come over the wire, heads included, into an empty browser."""
    session = grace.context.new_cdp_session(grace.page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    grace.page.goto(f"{grace.places.issuer}/sign-in", wait_until="networkidle")
    grace.arrive("Sign in")
    expect(grace.page.locator("#passkey-use")).to_be_visible()
    assert 3 <= len(sizes) <= 4
    assert 10_000 < sum(sizes) <= 40_000


def test_without_verification_a_passkey_alone_does_not_sign_in(grace: Person, email: str) -> None:
    authenticator = with_passkey(grace, email)
    authenticator.verify(succeeds=False)
    grace.page.click("#passkey-use")
    grace.page.wait_for_timeout(500)
    grace.arrive("Sign in")
    expect(grace.page.locator("#problem")).to_have_count(0)
    authenticator.verify(succeeds=True)
    authenticator.answer_unverified(True)
    grace.press("#passkey-use", "Use your passkey")
    assert "Unlock the passkey" in grace.problem()
    authenticator.answer_unverified(False)
    grace.press("#passkey-use", "Profile")


def test_a_copied_passkey_is_refused_and_its_owner_told(grace: Person, email: str) -> None:
    authenticator = with_passkey(grace, email, synced=False)
    (old,) = authenticator.credentials()
    grace.press("#passkey-use", "Profile")
    used = time.time()
    sign_out(grace, authenticator)
    authenticator.remove(old["credentialId"])
    authenticator.put({**old, "signCount": 0})
    # Answers to a challenge from before the last use, or made just after it, are only refused, and count as failed tries.
    until(lambda: time.time() >= used + CLOCKS_APART + 1)
    with authenticator.asleep():
        grace.open(f"{grace.places.issuer}/sign-in", "Sign in")
    grace.press("#passkey-use", "Use your passkey")
    assert "may have been copied" in grace.problem()
    with authenticator.asleep():
        grace.press("#restart", "Sign in")
    grace.enter(email, PASSWORD, "Profile")
    grace.page.goto(f"{grace.places.issuer}/_dev/outbox")
    expect(grace.page.locator("article", has_text=f"To {email}").first.locator("h2")).to_contain_text(
        "copied"
    )


def test_a_removed_passkey_is_unknown_and_the_browser_learns_that(grace: Person, email: str) -> None:
    authenticator = with_passkey(grace, email)
    (kept,) = authenticator.credentials()
    grace.press("#passkey-use", "Profile")
    grace.press("#nav-key", "Sign-in methods")
    grace.press("#passkey-1-remove", "Sign-in methods")
    expect(grace.page.locator("#done")).to_have_text("The passkey is removed.")
    # the page that lists what still works has removed it from the browser's own passkeys too
    if not authenticator.credentials():
        authenticator.put(kept)
    sign_out(grace, authenticator)
    grace.press("#passkey-use", "Use your passkey")
    assert "isn't known here any more" in grace.problem()
    with authenticator.asleep():
        grace.press("#restart", "Sign in")
    grace.enter(email, PASSWORD, "Profile")


def test_a_passkey_is_renamed(grace: Person, email: str) -> None:
    grace.new_account(email, "Grace Host")
    attach(grace.page)
    add_passkey(grace)
    grace.press("#passkey-1-rename", "Rename passkey")
    grace.page.fill("#name", "The red laptop")
    grace.press("#submit", "Sign-in methods")
    expect(grace.page.locator("#passkey-1-title")).to_contain_text("The red laptop")


def test_a_security_key_is_asked_for_after_the_password(grace: Person, email: str) -> None:
    grace.new_account(email, "Grace Host")
    authenticator = attach(grace.page, "usb", synced=False)
    grace.press("#nav-key", "Sign-in methods")
    grace.press("#passkey-add", "Add a passkey")
    expect(grace.page.locator("#second")).to_be_visible()
    # it has no copy elsewhere, and its loss would lock the person out
    grace.press("#passkey-create", "Your recovery codes")
    expect(grace.page.locator("#done")).to_contain_text("Your passkey is added")
    code = grace.page.locator("#codes code").first.inner_text()
    grace.press("#to-methods", "Sign-in methods")
    expect(grace.page.locator("#passkey-1-asked")).to_be_visible()
    sign_out(grace, authenticator)
    with authenticator.asleep():
        grace.enter(email, PASSWORD, "Use your passkey")
        expect(grace.page.locator("#who")).to_have_text(f"for {email}")
        expect(grace.page.locator("#trust")).to_be_visible()
    grace.press("#passkey-use", "Profile")
    sign_out(grace, authenticator)
    with authenticator.asleep():
        grace.enter(email, PASSWORD, "Use your passkey")
        grace.press(".other-way", "Enter a recovery code")
    grace.page.fill("#code", code)
    grace.press("#submit", "Profile")


def test_the_owner_of_a_passkey_decides_when_it_is_asked_for_and_makes_recovery_codes(
    grace: Person, email: str
) -> None:
    authenticator = with_passkey(grace, email)
    # after the password alone, a change asks for the passkey
    with authenticator.asleep():
        grace.enter(email, PASSWORD, "Profile")
    grace.press("#nav-key", "Sign-in methods")
    grace.press("#passkey-1-second-submit", "Confirm that it's you")
    with authenticator.asleep():
        grace.page.fill("#password", PASSWORD)
        grace.press("#submit", "Use your passkey")
    grace.press("#passkey-use", "Sign-in methods")
    grace.press("#passkey-1-second-submit", "Sign-in methods")
    expect(grace.page.locator("#done")).to_contain_text("From now on we ask for this passkey")
    expect(grace.page.locator("#codes-left")).to_have_text("None yet")
    grace.press("#recovery-submit", "Your recovery codes")
    assert len(set(grace.page.locator("#codes code").all_inner_texts())) == 10
    grace.press("#to-methods", "Sign-in methods")
    expect(grace.page.locator("#codes-left")).to_have_text("10 of 10 left")
    sign_out(grace, authenticator)
    with authenticator.asleep():
        grace.enter(email, PASSWORD, "Use your passkey")
    grace.press("#passkey-use", "Profile")
    grace.press("#nav-key", "Sign-in methods")
    grace.press("#passkey-1-second-submit", "Sign-in methods")
    expect(grace.page.locator("#done")).to_contain_text("only where a second step is required")
    sign_out(grace, authenticator)
    with authenticator.asleep():
        grace.enter(email, PASSWORD, "Profile")


def test_a_required_passkey_is_added_on_the_way_to_the_app(
    grace: Person, dev: running.Dev, email: str
) -> None:
    grace.new_account(email, "Grace Host")
    grace.press("#sign-out", "Sign out?")
    grace.press("#submit", "You are signed out")
    settings = str(dev.folder / NAME / "doorward.toml")
    required = running.run(dev.folder, "user", "require-factor", email, "--config", settings)
    assert required.returncode == 0, required.stderr
    authenticator = attach(grace.page)
    grace.from_shop()
    grace.enter(email, PASSWORD, "Set up a second step")
    grace.press("#enrol-passkey", "Add a passkey")
    grace.press("#passkey-create", "Connect Corner Shop to your account?")
    grace.press("#allow", re.compile("^Hello, "))
    assert len(authenticator.credentials()) == 1


def test_a_password_manager_keeps_a_passkey_without_a_question(grace: Person, email: str) -> None:
    """Chromium's virtual authenticator never answers such a call, so here an ordinary one answers in its place."""
    grace.new_account(email, "Grace Host")
    grace.press("#sign-out", "Sign out?")
    grace.press("#submit", "You are signed out")
    attach(grace.page)
    grace.page.add_init_script(
        """const create = navigator.credentials.create.bind(navigator.credentials);
        navigator.credentials.create = ({ mediation, ...options }) =>
          mediation === "conditional" ? create(options) : Promise.reject(new Error("asked"));"""
    )
    grace.press("#to-sign-in", "Sign in")
    with grace.page.expect_response("**/account/passkeys/silent") as answered:
        grace.enter(email, PASSWORD, "Profile")
    assert answered.value.status == 204
    grace.press("#nav-key", "Sign-in methods")
    expect(grace.page.locator("#passkey-1-title")).to_be_visible()


def test_without_scripts_every_step_has_another_way(people: NewPerson, email: str, scripts: bool) -> None:
    if scripts:
        return
    grace = people()
    grace.new_account(email, "Grace Host")
    grace.press("#nav-key", "Sign-in methods")
    grace.press("#passkey-add", "Add a passkey")
    expect(grace.page.locator("#no-scripts")).to_be_visible()
    assert grace.page.locator("#passkey-create").is_hidden()
    assert grace.page.locator("#second").is_hidden()
    grace.press("#cancel", "Sign-in methods")
    grace.open(f"{grace.places.issuer}/sign-in/passkey", "Use your passkey")
    expect(grace.page.locator("#no-scripts")).to_be_visible()
