"""Codes by mail as a second step, on the pages: asked for, sent, typed, and worth no more than a step."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.core.model.account import Account, EnrolledFactor
from doorward.features.authn.factors.email_code.factor import ADDRESS_PURPOSE
from tests.browsing import Browser, Page
from tests.people import House, code_for

pytestmark = pytest.mark.anyio


async def with_mail_codes(house: House, account: Account, address: str | None = None) -> EnrolledFactor:
    """The factor, as set up by its owner; at the account's address, or at another one."""
    factor_id = house.random.new_id("fac")
    sealed = house.sealer.seal(ADDRESS_PURPOSE, factor_id, address.encode()) if address else None
    factor = EnrolledFactor(factor_id, account.id, "email_code", house.now, sealed)
    assert await house.store.commit(house.store.accounts.add_factor(factor))
    return factor


async def codes_sent(house: House) -> list[tuple[str, str]]:
    """(address, code), newest first."""
    return [(to, mail.code or "") for to, kind, mail in await house.mails() if kind == "sign_in_code"]


async def to_code_page(browser: Browser) -> Page:
    return await browser.follow(await browser.sign_in())


def wrong_for(code: str) -> str:
    return f"{(int(code) + 500_000) % 1_000_000:06d}"


async def test_with_nothing_else_to_show_the_code_is_sent_at_once(house: House) -> None:
    await with_mail_codes(house, await house.person())
    browser = house.browser()
    page = await to_code_page(browser)
    assert "We've sent a code to ada@example.com" in page.words
    ((address, code),) = await codes_sent(house)
    assert address == "ada@example.com"
    wrong = await browser.submit(page, "second-factor", code=wrong_for(code))
    assert (wrong.status, wrong.problem) == (400, "That code didn't work. Check it, or use the newest one.")
    done = await browser.submit(wrong, "second-factor", code=code)
    assert done.header("location") == "/account"
    (session,) = await house.store.sessions.live_of(
        (await house.store.accounts.find("ada@example.com"))[0].id, house.now
    )
    assert (session.acr, session.amr) == ("urn:doorward:aal1", ("pwd", "otp"))


async def test_the_mail_says_who_asked_and_has_no_code_in_its_subject(house: House) -> None:
    await with_mail_codes(house, await house.person())
    await to_code_page(house.browser())
    (_, _, mail), *_ = await house.mails()
    assert mail.subject == "Your sign-in code for Acme"
    assert "Chrome on Linux" in mail.text
    assert "Never give this code to anybody" in mail.text
    assert mail.ticket_id is not None
    assert mail.ticket_id.startswith("cod_")


@pytest.mark.requirement(83)
async def test_where_there_is_a_choice_a_mail_is_sent_only_on_request(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    await with_mail_codes(house, account)
    browser = house.browser()
    app_page = await to_code_page(browser)
    assert "authenticator app" in app_page.words
    flow = app_page.forms["second-factor"].fields["flow"]
    page = await browser.get(f"/sign-in/code?method=email_code&flow={flow}")
    assert await codes_sent(house) == []
    assert "second-factor" not in page.forms
    sent = await browser.follow(await browser.submit(page, "send"))
    ((_, code),) = await codes_sent(house)
    done = await browser.submit(sent, "second-factor", code=code)
    assert done.header("location") == "/account"
    # the other way round, too
    other = house.browser()
    again = await to_code_page(other)
    assert (await other.submit(again, "second-factor", code=code_for(seed, house.now))).status == 303


async def test_a_code_at_another_address_is_shown_in_part(house: House) -> None:
    await with_mail_codes(house, await house.person(), "backup@example.net")
    page = await to_code_page(house.browser())
    assert "We've sent a code to b•••@example.net" in page.words
    assert "backup@" not in page.text
    assert [address for address, _ in await codes_sent(house)] == ["backup@example.net"]


@pytest.mark.requirement(83)
async def test_another_code_is_sent_after_a_minute_and_the_first_no_longer_works(house: House) -> None:
    await with_mail_codes(house, await house.person())
    browser = house.browser()
    page = await to_code_page(browser)
    assert "You can ask for another code at" in page.words
    ((_, first),) = await codes_sent(house)
    early = await browser.submit(page, "send")
    assert early.status == 429
    assert (early.problem or "").startswith("A code was sent a moment ago.")
    assert len(await codes_sent(house)) == 1
    house.later(60)
    page = await browser.get(
        "/sign-in/code?method=email_code&flow=" + page.forms["second-factor"].fields["flow"]
    )
    again = await browser.follow(await browser.submit(page, "send"))
    assert "We've sent another code. Use the newest one." in again.words
    (_, second), _ = await codes_sent(house)
    if first != second:
        assert (await browser.submit(again, "second-factor", code=first)).status == 400
    assert (await browser.submit(again, "second-factor", code=second)).status == 303


@pytest.mark.requirement(82)
async def test_five_wrong_codes_end_a_code(house: House) -> None:
    await with_mail_codes(house, await house.person())
    browser = house.browser()
    page = await to_code_page(browser)
    ((_, code),) = await codes_sent(house)
    for _ in range(5):
        page = await browser.submit(page, "second-factor", code=wrong_for(code))
    assert (await browser.submit(page, "second-factor", code=code)).status == 429
    house.later(599)
    assert (await browser.submit(page, "second-factor", code=code)).status != 303


@pytest.mark.requirement(84)
async def test_a_recovery_code_is_taken_on_the_same_page(house: House) -> None:
    account = await house.person()
    _, codes = await house.authenticator(account)
    await with_mail_codes(house, account)
    browser = house.browser()
    app_page = await to_code_page(browser)
    flow = app_page.forms["second-factor"].fields["flow"]
    page = await browser.get(f"/sign-in/code?method=email_code&flow={flow}")
    sent = await browser.follow(await browser.submit(page, "send"))
    assert (await browser.submit(sent, "second-factor", code=codes[0])).header("location") == "/account"


@pytest.mark.requirement(85)
async def test_no_code_is_sent_before_a_first_factor_or_to_a_factor_that_is_not_there(house: House) -> None:
    account = await house.person()
    await with_mail_codes(house, account)
    browser = house.browser()
    sign_in = await browser.get("/sign-in")
    csrf = sign_in.forms["sign-in"].fields["csrf"]
    wrong = await browser.submit(sign_in, "sign-in", identifier=account.known_as, password="not it at all")
    flow = wrong.forms["sign-in"].fields["flow"]
    for fields in (
        {"csrf": csrf, "kind": "email_code"},
        {"csrf": csrf, "kind": "email_code", "flow": flow},
        {"csrf": csrf, "kind": "totp", "flow": flow},
        {"csrf": csrf, "flow": flow},
    ):
        answer = await browser.post("/sign-in/code/send", fields)
        assert answer.status == 303
        assert (answer.header("location") or "").startswith("/sign-in")
    assert await codes_sent(house) == []


@pytest.mark.requirement(70)
async def test_a_form_of_another_site_sends_nothing(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    await with_mail_codes(house, account)
    browser = house.browser()
    page = await to_code_page(browser)
    fields = {**page.forms["second-factor"].fields, "kind": "email_code"}
    refused = await browser.post(
        "/sign-in/code/send", fields, origin="https://evil.example", site="cross-site"
    )
    assert refused.status == 403
    assert (await browser.post("/sign-in/code/send", {**fields, "csrf": "x"})).status == 403
    assert await codes_sent(house) == []


async def test_a_reload_of_the_answer_shows_the_page(house: House) -> None:
    await with_mail_codes(house, await house.person())
    browser = house.browser()
    page = await to_code_page(browser)
    flow = page.forms["second-factor"].fields["flow"]
    shown = await browser.follow(await browser.get(f"/sign-in/code/send?kind=email_code&flow={flow}"))
    assert "second-factor" in shown.forms
    for path in ("/sign-in/code/send", "/sign-in/code/send?kind=%0d%0aX&flow=1"):
        assert (await browser.get(path)).header(
            "location",
        ) in {"/sign-in/code", "/sign-in/code?flow=1"}


@pytest.mark.requirement(94)
async def test_codes_end_with_a_new_password_and_with_the_factor(house: House) -> None:
    account = await house.person()
    factor = await with_mail_codes(house, account)
    browser = house.browser()
    page = await to_code_page(browser)
    ((_, code),) = await codes_sent(house)
    assert await house.store.commit(house.store.accounts.remove_factor(account.id, factor.id))
    await with_mail_codes(house, account)
    assert (await browser.submit(page, "second-factor", code=code)).status == 400
    house.later(60)
    page = await to_code_page(other := house.browser())
    (_, newest), *_ = await codes_sent(house)
    await house.change_account(account, password_changed_at=house.now)
    await house.store.commit(*house.revoker.outstanding(account.id, now=house.now))
    refused = await other.submit(page, "second-factor", code=newest)
    assert not (refused.header("location") or "").startswith("/account")
    assert list(await house.store.sent_codes.of_account(account.id)) == []


async def test_a_code_follows_the_address_of_the_account(house: House) -> None:
    account = await house.person()
    await with_mail_codes(house, account)
    stored = await house.store.accounts.get(account.id)
    assert stored is not None
    moved = structs.replace(stored, email="ada@example.net")
    assert await house.store.commit(house.store.accounts.replace(moved))
    browser = house.browser()
    await browser.follow(await browser.sign_in("ada@example.net"))
    assert [address for address, _ in await codes_sent(house)] == ["ada@example.net"]
