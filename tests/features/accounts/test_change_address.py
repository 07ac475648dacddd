"""/account/address: an address is added or changed after a recent sign-in and the proof by a code."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from doorward.adapters.mail.queue import open_message
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.message import EmailChallenge
from doorward.features.accounts.build import change_address
from doorward.features.authn.email_challenges.build import email_challenges
from doorward.features.rate_limits.rules.attempts import Wait
from tests.browsing import PASSWORD, Page
from tests.features.authn.addresses.steps import code_to, mails, typed
from tests.features.authn.providers.journey import journey
from tests.front_channel import Front, front_channel
from tests.tabs import Tab

pytestmark = pytest.mark.anyio
NEW = "ada@example.net"


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        await opened.person()
        yield opened


async def asked(tab: Tab, email: str) -> Page:
    """The page after a new address was given."""
    page = await tab.on(await tab.get("/account/address"))
    return await tab.on(await tab.submit(page, "address", email=email))


@pytest.mark.requirement(73)
async def test_a_changed_address_is_proven_and_the_old_one_is_told(front: Front) -> None:
    tab = await front.signed_in()
    profile = await tab.get("/account")
    assert "Change your email address" in profile.words
    check = await asked(tab, "Ada@Example.net")
    assert check.path.startswith("/account/address/check?")
    assert await front.store.accounts.by_email(NEW) is None, "nothing changes before the proof"
    assert "didn't work" in ((await typed(tab, check, "000000")).problem or "")
    page = await typed(tab, check, await code_to(front, NEW))
    assert page.path.startswith("/account?")
    assert "Your email address is changed" in page.words
    ada = await front.store.accounts.by_email(NEW)
    assert ada is not None
    assert ada.updated_at == front.now
    assert await front.store.accounts.by_email("ada@example.com") is None
    assert "address_changed" in await mails(front, "ada@example.com")
    mail = next(one for one in await front.store.messages.recent_mail(9) if one.kind == "address_changed")
    text = open_message(front.services.sealer, mail).text
    assert NEW in text
    assert "reset" not in text, "no reset goes to the old address any more (R100)"
    # the old one is nobody's, the new one signs in, and the owner sees it
    assert (await front.browser().sign_in(email="ada@example.com")).status != 303
    assert (await front.browser().sign_in(email=NEW)).status == 303
    assert "You changed your email address" in (await tab.get("/account/activity")).words
    # a page that was left open, and its back button
    again = await tab.on(await tab.submit(check, "check", code="123456"))
    assert again.path == "/account/address"


@pytest.mark.requirement(73)
async def test_it_asks_for_a_recent_sign_in(front: Front) -> None:
    tab = await front.signed_in()
    check = await asked(tab, NEW)
    front.clock.time += 700
    assert (await tab.get("/account/address")).header("location") == (
        "/account/confirm?return_to=/account/address"
    )
    page = await tab.on(await tab.submit(check, "check", code=await code_to(front, NEW)))
    assert page.path.startswith("/account/confirm")
    assert await front.store.accounts.by_email(NEW) is None


@pytest.mark.requirement(80)
async def test_a_taken_address_looks_like_a_free_one_and_stays_its_owners(front: Front) -> None:
    await front.person(id="usr_eve", email="eve@example.com")
    tab = await front.signed_in()
    shown = [
        (await asked(tab, one)).words.replace(one, "X") for one in ("eve@example.com", "abc@example.com")
    ]
    assert shown[0] == shown[1]
    assert await mails(front, "eve@example.com") == ["address_in_use"]
    ada = await front.store.accounts.by_email("ada@example.com")
    assert ada is not None


async def test_an_address_that_was_taken_meanwhile_is_no_error(front: Front) -> None:
    tab = await front.signed_in()
    check = await asked(tab, NEW)
    code = await code_to(front, NEW)
    await front.person(id="usr_fast", email=NEW)
    page = await typed(tab, check, code)
    assert "didn't work" in (page.problem or "")
    assert page.status == 400
    assert await front.store.accounts.by_email("ada@example.com") is not None


@pytest.mark.requirement(94)
async def test_what_was_outstanding_for_the_old_state_ends(front: Front) -> None:
    """A reset code to the old mailbox opens nothing after the change; nor does a code for another address after a new password."""
    tab = await front.signed_in()
    other = front.browser()
    reset = await other.on(await other.get("/reset"))
    reset = await other.on(await other.submit(reset, "reset", email="ada@example.com"))
    reset_code = await code_to(front, "ada@example.com")
    check = await asked(tab, NEW)
    assert (await typed(tab, check, await code_to(front, NEW))).path.startswith("/account?")
    page = await other.on(await other.submit(reset, "check", code=reset_code))
    assert page.path.startswith("/reset/check")
    # and the other way round
    check = await asked(tab, "third@example.net")
    code = await code_to(front, "third@example.net")
    ada = await front.store.accounts.by_email(NEW)
    assert ada is not None
    challenges, ticket = front.services.get(email_challenges), check.path.partition("ticket=")[2]
    assert await challenges.problem(ticket, front.now) is None
    await front.change(ada, password_changed_at=front.now + 1)
    assert "another now" in (await challenges.problem(ticket, front.now) or "")
    assert not (await typed(tab, check, code)).path.startswith("/account?")


@pytest.mark.requirement(83)
async def test_a_code_counts_in_its_browser_and_for_its_account(front: Front) -> None:
    await front.person(id="usr_eve", email="eve@example.com")
    tab = await front.signed_in()
    check = await asked(tab, NEW)
    code = await code_to(front, NEW)
    eve = front.browser("203.0.113.5")
    assert (await eve.sign_in(email="eve@example.com")).status == 303
    assert (await eve.on(await eve.get(check.path))).path == "/account/address"
    stolen = {**check.forms["check"].fields, "code": code}
    page = await eve.on(await eve.post("/account/address/check", stolen))
    assert page.path == "/account/address"
    own = (await eve.get("/account/address")).forms["address"].fields
    page = await eve.on(await eve.post("/account/address/check", {**stolen, "csrf": own["csrf"], "once": ""}))
    assert page.path == "/account/address"
    assert await front.store.accounts.by_email(NEW) is None


@pytest.mark.requirement(93, 96)
async def test_guesses_and_mails_are_limited(front: Front) -> None:
    tab = await front.signed_in()
    check = await asked(tab, NEW)
    page = check
    for _ in range(6):
        page = await typed(tab, page, "000000")
    assert "Too many wrong codes" in (page.problem or "")
    page = await typed(tab, page, await code_to(front, NEW))
    assert "Too many wrong codes" in (page.problem or "")
    changing = front.services.get(change_address)
    ada = await front.store.accounts.by_email("ada@example.com")
    assert ada is not None
    caller = Caller("192.0.2.1", browser_hash=digest("b"))
    sent = [
        await changing.send(ada, f"many{number}@example.net", locale="en", caller=caller, now=front.now)
        for number in range(22)
    ]
    assert isinstance(sent[0], EmailChallenge)
    assert isinstance(sent[-1], Wait)


async def test_what_is_no_new_address_is_said(front: Front) -> None:
    tab = await front.signed_in()
    for email, words in (
        ("", "Enter your email"),
        ("x", "like name@"),
        ("ADA@example.com", "your address already"),
    ):
        page = await asked(tab, email)
        assert words in page.words
        assert page.status == 400
    assert {one.kind for one in await front.store.messages.recent_mail(9)} == {"new_device"}


async def test_whoever_has_none_adds_one(tmp_path: Path) -> None:
    async with journey(tmp_path, address="optional") as there:
        tab = there.front.browser()
        page = await there.sign_in(tab, sub="phone-only", name="Ann O.")
        assert "Add an email address" in page.words
        page = await typed(tab, await asked(tab, NEW), await code_to(there.front, NEW))
        assert page.path.startswith("/account?")
        (ann,) = await there.front.store.accounts.page()
        assert ann.email == NEW
        assert await mails(there.front, NEW) == ["confirm_address"], "no mail to nobody"


@pytest.mark.requirement(91)
async def test_an_address_of_a_provider_alone_is_neither_taken_nor_left(tmp_path: Path) -> None:
    """Attack: somebody of the company moves to a private address, and then signs in with a password past the company's provider; or takes
    an address of the company without being there."""
    async with journey(tmp_path, domains=("example.com",), only=True) as there:
        front = there.front
        await front.person(id="usr_eve", email="eve@example.net")
        tab = front.browser()
        assert (await tab.on(await tab.get("/sign-in?with=password"))).status == 200
        page = await tab.on(await tab.get("/sign-in?with=password"))
        page = await tab.on(
            await tab.submit(page, "sign-in", identifier="eve@example.net", password=PASSWORD)
        )
        assert page.path == "/account"
        page = await asked(tab, "boss@example.com")
        assert "sign in with Example alone" in page.words
        ada = front.browser()
        await there.sign_in(ada, sub="ada", email="ada@example.com", email_verified=True)
        page = await ada.on(await ada.get("/account/address"))
        assert "can't be changed here" in page.words
        assert "address" not in page.forms
        (account,) = [one for one in await front.store.accounts.page() if one.email == "ada@example.com"]
        changing = front.services.get(change_address)
        assert changing.kept_by(account) is not None
        assert {one.kind for one in await front.store.messages.recent_mail(9)} == {"new_device"}
