"""Password reset by mail: the reader of the mailbox sets a new password and gains nothing else."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from doorward.adapters.random import SystemRandom
from doorward.core.errors import OAuthError
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.message import EmailChallenge
from doorward.core.model.policy import ThrottlePolicy
from doorward.core.model.secret import Secret
from doorward.features.accounts.reset_password import BadAddress, Over, Reset
from doorward.features.authn.email_challenges.rules import Missed
from doorward.features.authn.factors.password.rules.password import Weak
from doorward.features.rate_limits.rules.attempts import Wait
from tests.mailbox import reset_by_code, reset_by_link
from tests.people import CALLER, CHROME, OTHER_PASSWORD, PASSWORD, House, caller_of
from tests.work_done import MAILED, recorded

pytestmark = pytest.mark.anyio
BROWSER = digest("browser")


async def ask(house: House, email: str = "ada@example.com", **changes: Any) -> EmailChallenge:
    values: dict[str, Any] = {
        "locale": "en",
        "sign_in_id": None,
        "caller": caller_of(BROWSER),
        "now": house.now,
    }
    ticket = await house.reset.ask(email=email, **{**values, **changes})
    assert isinstance(ticket, EmailChallenge)
    return ticket


async def mailed(house: House) -> tuple[str, str]:
    """(code, link token) of the newest mail."""
    (_, kind, found), *_ = await house.mails()
    assert kind == "reset_password"
    link = re.search(r"/reset/link\?token=([A-Za-z0-9_-]{43})", found.text)
    assert link is not None
    return found.code or "", link.group(1)


async def proven(house: House, email: str = "ada@example.com") -> EmailChallenge:
    ticket = await ask(house, email)
    code, _ = await mailed(house)
    shown = await reset_by_code(house, ticket.id, code, caller=caller_of(BROWSER), now=house.now)
    assert isinstance(shown, EmailChallenge)
    return shown


async def set_new(
    house: House, ticket: EmailChallenge, password: str = OTHER_PASSWORD, *, end: bool = True, **changes: Any
) -> Reset | Weak | Over:
    values: dict[str, Any] = {
        "caller": caller_of(BROWSER),
        "now": house.now,
    }
    return await house.reset.set(ticket.id, Secret(password), end_sessions=end, **{**values, **changes})


@pytest.mark.requirement(80)
async def test_known_unknown_and_disabled_addresses_get_the_same_answer(house: House) -> None:
    await house.person()
    gone = await house.person("gone@example.com")
    await house.change_account(gone, disabled_at=house.now)
    for email in ("ada@example.com", "nobody@example.com", "gone@example.com"):
        ticket = await ask(house, email)
        assert ticket.expires_at == house.now + 600
    assert [to for to, _, _ in await house.mails()] == ["ada@example.com"]
    assert await house.reset.ask(
        email="nonsense",
        locale="en",
        sign_in_id=None,
        caller=caller_of(BROWSER),
        now=house.now,
    ) == BadAddress()  # fmt: skip


@pytest.mark.requirement(80)
async def test_an_unknown_address_takes_the_same_work_and_gets_no_mail(house: House) -> None:
    await house.person()
    with recorded() as known:
        await ask(house)
    with recorded() as unknown:
        await ask(house, "nobody@example.com")
    assert unknown == known
    assert known.count(MAILED) == 1
    assert [to for to, _, _ in await house.mails()] == ["ada@example.com"]


@pytest.mark.requirement(80)
async def test_the_ticket_of_an_unknown_address_cannot_be_opened(house: House) -> None:
    ticket = await ask(house, "nobody@example.com")
    missed = await reset_by_code(house, ticket.id, "123456", caller=caller_of(BROWSER), now=house.now)
    assert missed == Missed("code")
    assert await house.reset.open(ticket.id, BROWSER, house.now) is None


class _KnownDigits:
    """Draws a code that the test knows."""

    def __init__(self) -> None:
        self._random = SystemRandom()
        self.token, self.new_id, self.below = self._random.token, self._random.new_id, self._random.below

    def digits(self, length: int = 6) -> str:
        return "123456789"[:length]


@pytest.mark.requirement(80)
async def test_even_the_drawn_code_does_not_open_the_ticket_of_an_unknown_address(house: House) -> None:
    await house.person()
    challenges = structs.replace(house.email_challenges, random=_KnownDigits())
    known = replace(house, reset=structs.replace(house.reset, email_challenges=challenges))
    for email, opens in (("nobody@example.com", False), ("ada@example.com", True)):
        ticket = await ask(known, email)
        shown = await reset_by_code(known, ticket.id, "123456789", caller=caller_of(BROWSER), now=house.now)
        assert isinstance(shown, EmailChallenge) is opens


async def test_a_code_or_a_link_allows_a_new_password(house: House) -> None:
    account = await house.person()
    ticket = await ask(house)
    code, token = await mailed(house)
    assert await house.reset.open(ticket.id, BROWSER, house.now) is None
    by_link = await reset_by_link(house, token, caller=caller_of(BROWSER), now=house.now)
    assert isinstance(by_link, EmailChallenge)
    opened = await house.reset.open(ticket.id, BROWSER, house.now)
    assert opened is not None
    assert (opened[1].id, opened[2]) == (account.id, 15)
    # each works once
    again = await reset_by_code(house, ticket.id, code, caller=caller_of(BROWSER), now=house.now)
    assert again == Missed("used")
    assert isinstance(await set_new(house, ticket), Reset)
    assert isinstance(await set_new(house, ticket), Over)


async def test_the_new_password_works_and_the_old_one_does_not(house: House) -> None:
    await house.person()
    assert isinstance(await set_new(house, await proven(house)), Reset)
    for password, good in ((PASSWORD, False), (OTHER_PASSWORD, True)):
        outcome = await house.check.verify("ada@example.com", Secret(password), caller=CALLER, now=house.now)
        assert isinstance(outcome, OAuthError) is not good


async def test_a_reset_ends_sessions_and_grants_and_informs_the_owner(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    grant = await house.grant(account, session)
    assert isinstance(await set_new(house, await proven(house)), Reset)
    assert await house.store.sessions.live_of(account.id, house.now) == []
    assert await house.store.grants.live_of_account(account.id, house.now) == []
    _, revoked = await house.store.revocations.live(house.now)
    assert {(entry.kind, entry.ref) for entry in revoked} == {("sid", session.id), ("grant", grant.id)}
    (to, kind, said), *_ = await house.mails()
    assert (to, kind) == ("ada@example.com", "password_changed")
    assert "Chrome on Linux" in said.text
    assert "password.reset" in await house.kinds()


async def test_the_person_may_keep_other_sessions_signed_in(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    assert isinstance(await set_new(house, await proven(house), end=False), Reset)
    assert [s.id for s in await house.store.sessions.live_of(account.id, house.now)] == [session.id]


@pytest.mark.requirement(84)
async def test_a_reset_keeps_the_second_factor_and_does_not_sign_in(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    before = await house.store.accounts.factors(account.id)
    ticket = await proven(house)
    assert isinstance(await set_new(house, ticket, "kV3#zPq9"), Reset), (
        "eight characters suffice with a second factor"
    )
    assert await house.store.accounts.factors(account.id) == before
    assert await house.store.sessions.live_of(account.id, house.now) == []


@pytest.mark.requirement(77, 78)
async def test_the_new_password_must_meet_the_password_policy(house: House) -> None:
    await house.person()
    ticket = await proven(house)
    assert await set_new(house, ticket, "kV3#zPq9") == Weak("too_short", 15)
    assert await set_new(house, ticket, "ada@example.com!") == Weak("context")
    assert isinstance(await set_new(house, ticket), Reset)


async def test_a_reset_is_bound_to_one_browser_and_ten_minutes(house: House) -> None:
    await house.person()
    ticket = await proven(house)
    other = digest("another")
    assert isinstance(await set_new(house, ticket, caller=caller_of(other)), Over)
    assert isinstance(await set_new(house, ticket, now=house.now + 600), Over)
    late = await ask(house)
    code, token = await mailed(house)
    assert await reset_by_link(house, token, caller=caller_of(other), now=house.now) == Missed("browser")
    house.later(600)
    assert await reset_by_link(house, token, caller=caller_of(BROWSER), now=house.now) == Missed("expired")
    missed = await reset_by_code(house, late.id, code, caller=caller_of(BROWSER), now=house.now)
    assert missed == Missed("expired")


async def test_a_person_disabled_during_the_reset_cannot_set_a_password(house: House) -> None:
    account = await house.person()
    ticket = await proven(house)
    await house.change_account(account, disabled_at=house.now)
    assert isinstance(await set_new(house, ticket), Over)


async def test_only_one_of_two_concurrent_answers_takes_effect(house: House) -> None:
    await house.person()
    ticket = await proven(house)
    outcomes = await asyncio.gather(
        *(set_new(house, ticket, f"{OTHER_PASSWORD} {number}") for number in range(4))
    )
    assert sum(isinstance(outcome, Reset) for outcome in outcomes) == 1


@pytest.mark.requirement(81)
async def test_a_reset_allows_sign_in_when_the_limit_is_used_up_by_others(house: House) -> None:
    await house.person()
    for number in range(ThrottlePolicy().per_account + 1):
        caller = Caller(f"198.51.100.{number}", CHROME)
        await house.check.verify("ada@example.com", Secret("wrong"), caller=caller, now=house.now)
    done = await set_new(house, await proven(house))
    assert isinstance(done, Reset)
    assert done.device_secret is not None
    elsewhere = await house.check.verify(
        "ada@example.com", Secret(OTHER_PASSWORD), caller=CALLER, now=house.now
    )
    assert isinstance(elsewhere, OAuthError)
    here = await house.check.verify(
        "ada@example.com",
        Secret(OTHER_PASSWORD),
        caller=caller_of(devices=(digest(done.device_secret),)),
        now=house.now,
    )
    assert not isinstance(here, OAuthError)


async def test_a_new_mail_invalidates_the_first(house: House) -> None:
    await house.person()
    ticket = await ask(house)
    code, _ = await mailed(house)
    again = await house.reset.again(ticket.id, locale="en", caller=caller_of(BROWSER), now=house.now)
    assert isinstance(again, EmailChallenge)
    missed = await reset_by_code(house, ticket.id, code, caller=caller_of(BROWSER), now=house.now)
    assert missed == Missed("used")
    gone = await house.reset.again(ticket.id, locale="en", caller=caller_of(BROWSER), now=house.now)
    assert isinstance(gone, Over)


@pytest.mark.requirement(81)
async def test_mails_to_one_address_are_limited_for_known_and_unknown_addresses(house: House) -> None:
    await house.person()
    limit = ThrottlePolicy().mails_per_address
    for email in ("ada@example.com", "nobody@example.com"):
        for _ in range(limit):
            await ask(house, email)
        refused = await house.reset.ask(
            email=email,
            locale="en",
            sign_in_id=None,
            caller=caller_of(BROWSER),
            now=house.now,
        )
        assert isinstance(refused, Wait)
