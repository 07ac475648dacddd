"""Outstanding proofs and mails: they count for nothing after the event that ended them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.digest import digest
from doorward.core.model.message import EmailChallenge
from doorward.core.model.secret import Secret
from doorward.core.model.signin import SignIn
from doorward.features.accounts.reset_password import Reset
from doorward.features.authn.email_challenges.rules import Missed
from tests import browsing
from tests.mailbox import reset_by_code, reset_by_link
from tests.people import CALLER, OTHER_PASSWORD, PASSWORD, House, caller_of, code_for

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(94)]
BROWSER = digest("browser")
Change = Callable[[House, Account], Awaitable[object]]


async def shown_password(house: House, browser: str = "browser") -> SignIn:
    outcome = await house.check.prove(
        await house.sign_in(browser),
        identifier="ada@example.com",
        password=Secret(PASSWORD),
        caller=CALLER,
        now=house.now,
    )
    assert isinstance(outcome, SignIn), outcome
    return outcome


async def shown_code(house: House, sign_in: SignIn, code: str) -> SignIn | OAuthError:
    return await house.prove_second_factor.prove(sign_in, code=Secret(code), caller=CALLER, now=house.now)


async def asked(house: House, browser: bytes = BROWSER) -> tuple[EmailChallenge, str]:
    ticket = await house.reset.ask(
        email="ada@example.com",
        locale="en",
        sign_in_id=None,
        caller=caller_of(browser),
        now=house.now,
    )
    assert isinstance(ticket, EmailChallenge)
    (_, _, message), *_ = await house.mails()
    return ticket, message.code or ""


async def typed(house: House, ticket: EmailChallenge, code: str, browser: bytes = BROWSER) -> object:
    return await reset_by_code(house, ticket.id, code, caller=caller_of(browser), now=house.now)


async def set_new(house: House, ticket: EmailChallenge, password: str, *, ends: bool) -> object:
    return await house.reset.set(
        ticket.id,
        Secret(password),
        end_sessions=ends,
        caller=caller_of(BROWSER),
        now=house.now,
    )


async def walks_in(house: House, sign_in: SignIn) -> bool:
    """Whether the sign-in, continued by its browser, ends in a session."""
    browser = house.browser()
    browser.cookies[browsing.BROWSER] = "b" * 43
    page = await browser.follow(await browser.get(f"/sign-in/code?flow={sign_in.id}"))
    return page.path == "/account"


async def of_browser(house: House) -> SignIn:
    return await shown_password(house, "b" * 43)


async def changes(house: House, account: Account) -> None:
    session = await house.session(account)
    done = await house.change.change(
        account,
        session,
        current=Secret(PASSWORD),
        new=Secret(OTHER_PASSWORD),
        caller=CALLER,
        now=house.now,
    )
    assert not isinstance(done, OAuthError)


async def resets(house: House, account: Account) -> None:
    del account
    ticket, code = await asked(house)
    await typed(house, ticket, code)
    assert isinstance(await set_new(house, ticket, OTHER_PASSWORD, ends=False), Reset)


async def signs_out_elsewhere(house: House, account: Account) -> None:
    await house.pages.end_others(account, await house.session(account), caller=CALLER, now=house.now)


async def reports(house: House, account: Account) -> None:
    (event, *_) = await house.store.audit.page()
    session = await house.session(account)
    assert await house.pages.report(account, session, event.id, caller=CALLER, now=house.now)


@pytest.mark.parametrize("change", [changes, resets, signs_out_elsewhere, reports])
async def test_a_pending_sign_in_ends_when_its_proofs_are_invalidated(house: House, change: Change) -> None:
    account = await house.person()
    _, codes = await house.authenticator(account)
    shown = await shown_code(house, await of_browser(house), codes[0])
    assert isinstance(shown, SignIn)
    assert await walks_in(house, shown), "the sign-in failed although nothing had changed"
    shown = await shown_code(house, await of_browser(house), codes[1])
    assert isinstance(shown, SignIn)
    await change(house, account)
    assert not await walks_in(house, shown)


async def test_a_replaced_second_factor_must_be_proven_again(house: House) -> None:
    account = await house.person()
    for number in range(2):
        seed, codes = await house.authenticator(account)
        code = codes[0] if number else code_for(seed, house.now)
        shown = await shown_code(house, await of_browser(house), code)
        assert isinstance(shown, SignIn)
        # the owner removes the stolen phone and sets up another one
        await house.authenticator(account)
        assert not await walks_in(house, shown)


async def test_new_recovery_codes_invalidate_the_proof_of_an_old_one(house: House) -> None:
    account = await house.person()
    _, codes = await house.authenticator(account)
    shown = await shown_code(house, await of_browser(house), codes[0])
    assert isinstance(shown, SignIn)
    await house.own_codes.new_codes(account, await house.session(account), caller=CALLER, now=house.now)
    assert not await walks_in(house, shown)


async def test_a_sign_in_with_the_old_password_cannot_try_codes(house: House) -> None:
    account = await house.person()
    _, codes = await house.authenticator(account)
    sign_in = await shown_password(house)
    await house.change_account(account, password_changed_at=house.now)
    outcome = await shown_code(house, sign_in, codes[0])
    assert isinstance(outcome, OAuthError)
    assert outcome.code == "invalid_session"
    unspent = [f for f in await house.store.accounts.factors(account.id) if f.kind == "recovery_code"]
    assert all(factor.used_at is None for factor in unspent)


@pytest.mark.parametrize("change", [changes, resets, reports])
async def test_mailed_codes_and_links_are_invalidated_too(house: House, change: Change) -> None:
    account = await house.person()
    other = digest("other")
    ticket, code = await asked(house, other)
    (_, _, message), *_ = await house.mails()
    link = message.text.partition("token=")[2].split()[0]
    await change(house, account)
    assert isinstance(await typed(house, ticket, code, other), Missed)
    assert isinstance(await reset_by_link(house, link, caller=caller_of(other), now=house.now), Missed)


async def test_a_proof_by_mail_is_valid_until_the_password_changes(house: House) -> None:
    account = await house.person()
    ticket, code = await asked(house)
    await typed(house, ticket, code)
    assert await house.reset.open(ticket.id, BROWSER, house.now) is not None
    await changes(house, account)
    assert await house.reset.open(ticket.id, BROWSER, house.now) is None


@pytest.mark.requirement(80)
async def test_the_requester_of_a_mail_cannot_see_the_change(house: House) -> None:
    # otherwise the page that waits for the code would reveal that the account exists and that its password was changed
    account = await house.person()
    pages: list[str] = []
    for email in (account.known_as, "nobody@example.com"):
        stranger = house.browser("198.51.100.9")
        page = await stranger.follow(
            await stranger.submit(await stranger.get("/reset"), "reset", email=email)
        )
        await changes(house, await house.store.accounts.get(account.id) or account) if not pages else None
        again = await stranger.get(page.path)
        wrong = await stranger.submit(again, "check", code="000000")
        pages.append(f"{again.status} {again.words} / {wrong.status} {wrong.words}".replace(email, "…"))
    assert pages[0] == pages[1]
    assert pages[0].startswith("200")
