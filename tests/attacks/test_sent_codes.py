"""Attacks on codes by mail, by somebody who knows the password: guessing, flooding the mailbox, and codes of another sign-in."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator

import pytest

from doorward.core.model.account import EnrolledFactor
from doorward.core.model.policy import ThrottlePolicy
from tests.browsing import Browser, Page
from tests.people import House, open_house

pytestmark = pytest.mark.anyio
LIMITS = ThrottlePolicy()
SPENT, WRONG = 429, 400


@pytest.fixture
async def house() -> AsyncGenerator[House]:
    """Ada gets a code by mail at every sign-in."""
    async with open_house() as accounts:
        account = await accounts.person()
        factor = EnrolledFactor("fac_mail", account.id, "email_code", accounts.now)
        assert await accounts.store.commit(accounts.store.accounts.add_factor(factor))
        yield accounts


async def mailed(house: House) -> list[str]:
    """The codes that reached the mailbox, newest first."""
    return [letter.code or "" for _, kind, letter in await house.mails() if kind == "sign_in_code"]


async def at_the_code(browser: Browser) -> Page:
    """The page after the right password."""
    return await browser.follow(await browser.sign_in())


async def try_code(browser: Browser, page: Page, code: str) -> int:
    fields = (
        page.forms["second-factor"].fields if "second-factor" in page.forms else page.forms["send"].fields
    )
    answer = await browser.post(
        "/sign-in/code?method=email_code", {**fields, "method": "email_code", "code": code}
    )
    return answer.status


async def known_browser(house: House) -> Browser:
    """The owner's browser, on which they have signed in before."""
    browser = house.browser("203.0.113.7")
    page = await at_the_code(browser)
    newest, *_ = await mailed(house)
    assert await try_code(browser, page, newest) == 303
    for name in [one for one in browser.cookies if "session" in one]:
        del browser.cookies[name]
    return browser


@pytest.mark.requirement(81, 82)
async def test_a_code_is_not_found_by_guessing_from_many_addresses(house: House) -> None:
    owner = await known_browser(house)
    answers: Counter[int] = Counter()
    for number in range(20):
        robber = house.browser(f"198.51.{number}.9")
        page = await at_the_code(robber)
        for guess in range(3):
            answers[await try_code(robber, page, f"{number * 3 + guess:06d}")] += 1
    # counted for the account: neither a new sign-in nor another address gives new guesses
    assert answers[WRONG] == LIMITS.per_code
    assert answers[SPENT] == 20 * 3 - LIMITS.per_code
    house.later(LIMITS.window)
    day: Counter[int] = Counter()
    for number in range(36):
        robber = house.browser(f"198.18.{number}.9")
        page = await at_the_code(robber)
        for guess in range(2):
            day[await try_code(robber, page, f"{number * 2 + guess:06d}")] += 1
        house.later(600)
    assert day[303] == 0
    assert day[WRONG] <= LIMITS.per_code * 10
    # the owner is not locked out where they have signed in before
    page = await at_the_code(owner)
    newest, *_ = await mailed(house)
    assert await try_code(owner, page, newest) == 303


@pytest.mark.requirement(83)
async def test_asking_again_and_again_does_not_flood_the_mailbox(house: House) -> None:
    robber = house.browser("198.51.100.9")
    page = await at_the_code(robber)
    fields = {**page.forms["second-factor"].fields, "kind": "email_code"}
    for _ in range(50):
        await robber.post("/sign-in/code/send", fields)
    assert len(await mailed(house)) == 1
    for _ in range(600 // 30):
        house.later(30)
        await robber.post("/sign-in/code/send", fields)
    assert len(await mailed(house)) <= 5


@pytest.mark.requirement(83, 96)
async def test_many_sign_ins_from_many_addresses_do_not_bomb_the_owner(house: House) -> None:
    owner = await known_browser(house)
    before = len(await mailed(house))
    for number in range(12):
        await at_the_code(house.browser(f"198.51.{number}.9"))
    # three codes at a time
    assert len(await mailed(house)) - before <= 3
    for number in range(48):
        house.later(1800)
        await at_the_code(house.browser(f"198.18.{number}.9"))
    assert len(await mailed(house)) - before <= LIMITS.mails_per_day + 3
    # the owner still gets one
    sent = len(await mailed(house))
    page = await at_the_code(owner)
    codes = await mailed(house)
    assert len(codes) == sent + 1
    assert await try_code(owner, page, codes[0]) == 303


@pytest.mark.requirement(83)
async def test_where_another_factor_is_there_a_password_alone_sends_no_mail(house: House) -> None:
    (account,) = await house.store.accounts.find("ada@example.com")
    await house.authenticator(account)
    for number in range(4):
        browser = house.browser(f"198.51.{number}.9")
        page = await at_the_code(browser)
        flow = page.forms["second-factor"].fields["flow"]
        for path in ("/sign-in/code", "/sign-in/code/send"):
            await browser.get(f"{path}?method=email_code&kind=email_code&flow={flow}")
    assert await mailed(house) == []


@pytest.mark.requirement(83, 85)
async def test_a_code_of_another_sign_in_is_refused(house: House) -> None:
    robber, owner = house.browser("198.51.100.9"), house.browser("203.0.113.7")
    robbers_page = await at_the_code(robber)
    owners_page = await at_the_code(owner)
    newest, of_robber = await mailed(house)
    assert newest != of_robber
    # the owner reads the newest code to the caller "from the bank": it is for the owner's sign-in only
    assert await try_code(robber, robbers_page, newest) == WRONG
    fields = owners_page.forms["second-factor"].fields
    moved = await robber.post("/sign-in/code?method=email_code", {**fields, "code": newest})
    assert not (moved.header("location") or "").startswith("/account")
    csrf = robbers_page.forms["second-factor"].fields["csrf"]
    moved = await robber.post(
        "/sign-in/code?method=email_code", {**fields, "csrf": csrf, "method": "email_code", "code": newest}
    )
    assert not (moved.header("location") or "").startswith("/account")
    assert await try_code(owner, owners_page, newest) == 303


@pytest.mark.requirement(82)
async def test_a_used_code_is_refused_everywhere(house: House) -> None:
    browser = house.browser()
    page = await at_the_code(browser)
    code, *_ = await mailed(house)
    assert await try_code(browser, page, code) == 303
    for name in [one for one in browser.cookies if "session" in one]:
        del browser.cookies[name]
    assert await try_code(browser, page, code) == 303
    assert (await browser.get("/account")).header("location") is not None
    other = house.browser("198.51.100.9")
    assert await try_code(other, await at_the_code(other), code) == WRONG
