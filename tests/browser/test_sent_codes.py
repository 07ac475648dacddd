"""Tests of codes that are sent, read from a real mail server and a real gateway, in Chromium, with scripts and without."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import PASSWORD, Person, person
from tests.browser.sending import Sending, sending
from tests.browser.watched import Checked
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.browser, pytest.mark.requirement(82, 83)]
NUMBER = "+491712345678"
MASKED = "+49 ••• ••78"


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sending]:
    with sending(tmp_path_factory.mktemp("sent")) as running:
        yield running


@pytest.fixture
def grace(chrome: Browser, sent: Sending, checked: Checked, scripts: bool, email: str) -> Iterator[Person]:
    """A person with an account, in a browser of their own. No page may have reported a fault afterwards."""
    sent.person(email)
    one = person(chrome, sent.places, checked, scripts=scripts)
    yield one
    sent.mailbox.answer = "250 OK"
    assert one.leave() == []


def again(grace: Person, email: str, heading: str) -> None:
    """Sign out, and in again up to the second step."""
    grace.press("#sign-out", "Sign out?")
    grace.press("#submit", "You are signed out")
    grace.press("#to-sign-in", "Sign in")
    grace.enter(email, PASSWORD, heading)


def undelivered_after_reload(grace: Person) -> bool:
    """Load the page again; whether it now tells of a message that was not delivered."""
    grace.page.reload()
    return grace.page.locator("#undelivered").count() == 1


def told(grace: Person, scripts: bool) -> None:
    """The open page tells by itself that the message was not delivered; without scripts, when it is loaded again."""
    if scripts:
        expect(grace.page.locator("#sent")).to_contain_text("We couldn't deliver", timeout=PATIENCE * 1000)
        assert grace.page.locator("#code").input_value() == "12", "what was typed stays"
    grace.page.reload()
    grace.arrive("Enter your code")
    expect(grace.page.locator("#undelivered")).to_contain_text("We couldn't deliver a message to")


@pytest.mark.in_soak("no-scripts")
@pytest.mark.requirement(84, 100)
def test_codes_by_mail_and_a_mail_server_that_refuses_one(
    grace: Person, sent: Sending, email: str, scripts: bool
) -> None:
    grace.sign_in(email)
    grace.press("#nav-key", "Sign-in methods")
    grace.press("#mail-codes-add", "Get codes by email")
    expect(grace.page.locator("#address")).to_have_value(email)
    grace.press("#send-submit", "Get codes by email")
    grace.page.fill("#code", sent.mailbox.code(email, "Confirm this address"))
    grace.press("#submit", "Your recovery codes")
    codes = grace.page.locator("#codes code").all_inner_texts()
    keep(grace, codes, scripts)
    grace.press("#to-methods", "Sign-in methods")
    expect(grace.page.locator("#codes-left")).to_have_text("10 of 10 left")
    again(grace, email, "Enter your code")
    expect(grace.page.locator("#sent")).to_contain_text(f"We've sent a code to {email}")
    grace.page.fill("#code", sent.mailbox.code(email, "Your sign-in code"))
    grace.press("#submit", "Profile")
    failed = sent.count("mail.failed", "sign_in_code")
    sent.mailbox.answer = "550 no such mailbox"
    again(grace, email, "Enter your code")
    grace.page.fill("#code", "12")
    sent.happened("mail.failed", "sign_in_code", before=failed)
    if not scripts:
        # the log has it a moment before the store
        until(lambda: undelivered_after_reload(grace), look=0.1)
    told(grace, scripts)
    sent.mailbox.answer = "250 OK"
    grace.press(".other-way", "Enter a recovery code")
    grace.page.fill("#code", codes[0].lower().replace("-", " "))
    grace.press("#submit", "Profile")
    assert "9 recovery codes are left" in sent.mailbox.text(email, "A recovery code of your account")
    grace.press("#nav-key", "Sign-in methods")
    expect(grace.page.locator("#codes-left")).to_have_text("9 of 10 left")


def keep(grace: Person, codes: list[str], scripts: bool) -> None:
    """Recovery codes can be downloaded, and with scripts copied and printed."""
    assert len(set(codes)) == 10
    with grace.page.expect_download() as waiting:
        grace.page.click("#download")
    assert waiting.value.suggested_filename == "recovery-codes.txt"
    assert waiting.value.path().read_text("utf-8").split("\n")[2:] == codes
    for button in ("#copy", "#print"):
        assert grace.page.locator(button).is_visible() is scripts
    if scripts:
        grace.context.grant_permissions(["clipboard-read", "clipboard-write"])
        grace.page.click("#copy")
        expect(grace.page.locator("#copy")).to_have_text("Copied")
        assert grace.page.evaluate("navigator.clipboard.readText()").split("\n") == codes
        grace.page.evaluate("() => { window.print = () => document.body.classList.add('printed'); }")
        grace.page.click("#print")
        expect(grace.page.locator("body.printed")).to_have_count(1)
    grace.page.emulate_media(media="print")
    assert grace.page.locator("#codes").is_visible()
    assert not grace.page.locator("#to-methods").is_visible()
    grace.page.emulate_media(media="screen")


@pytest.mark.in_soak("no-scripts")
def test_codes_by_text_message_and_a_report_that_one_did_not_arrive(
    grace: Person, sent: Sending, email: str, scripts: bool
) -> None:
    number = NUMBER[:-1] + ("7" if scripts else "6")
    grace.sign_in(email)
    grace.press("#nav-key", "Sign-in methods")
    grace.press("#phone-add", "Add a phone")
    grace.page.fill("#number", "123")
    grace.press("#submit", "Add a phone")
    expect(grace.page.locator("#number")).to_have_attribute("aria-invalid", "true")
    grace.page.fill("#number", f"00{number[1:]}")
    grace.press("#submit", "Enter the code from the message")
    grace.page.fill("#code", sent.texted(number, 1))
    grace.press("#submit", "Your recovery codes")
    expect(grace.page.locator("#done")).to_contain_text("Your phone is set up")
    grace.press("#to-methods", "Sign-in methods")
    expect(grace.page.locator("section", has=grace.page.locator("#phone-title"))).to_contain_text("•••")
    again(grace, email, "Enter your code")
    grace.page.fill("#code", sent.texted(number, 2))
    grace.press("#submit", "Profile")
    again(grace, email, "Enter your code")
    sent.texted(number, 3)
    grace.page.fill("#code", "12")
    taken = sent.gateway.to(number)
    report = httpx2.post(
        f"{grace.places.issuer}/sms/report/webhook",
        content=sent.gateway.failed(taken),
        headers=sent.gateway.signed_report(taken, at=int(sent.running.clock.now())),
        trust_env=False,
        timeout=PATIENCE,
    )
    assert report.status_code == 204
    told(grace, scripts)
    grace.open(f"{grace.places.issuer}/account", re.compile("Sign in"))
