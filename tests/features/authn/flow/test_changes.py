"""Two changes of one person's sign-in methods at once, and changes in a session that is being ended (R72, R73, R77, R84).

docs/incidents/0062-two-methods-removed-at-once.md
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.policy import SecondFactorPolicy
from doorward.core.model.session import Session
from doorward.features.authn.factors.email_code.build import own_mail_codes
from doorward.features.authn.factors.passkeys.build import own_passkeys, remove_passkey
from doorward.features.authn.factors.passkeys.owning import NotAdded
from doorward.features.authn.factors.totp.owning import Meanwhile
from doorward.features.authn.flow.rules.policy import demand
from doorward.features.rate_limits.rules import budget
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from tests.features.authn.factors.passkeys.owners import BROWSER, device, enrolled
from tests.front_channel import front_channel
from tests.people import CALLER, House, code_for, key_bytes

pytestmark = pytest.mark.anyio


def in_between(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Awaitable[object]]) -> None:
    """Lets `act` happen once, after a change was decided on and before it is committed."""
    count, waiting = Throttle.change, [act]

    async def then(self: Throttle, change: budget.Change, account_id: str, now: int) -> Wait | None:
        if waiting:
            await waiting.pop()()
        return await count(self, change, account_id, now)

    monkeypatch.setattr(Throttle, "change", then)


async def kinds(house: House, account: Account) -> list[str]:
    return [row.kind for row in await house.store.accounts.factors(account.id)]


async def with_mail_codes(house: House, account: Account) -> None:
    row = EnrolledFactor(house.random.new_id("fac"), account.id, "email_code", house.now)
    assert await house.store.commit(house.store.accounts.add_factor(row))


async def remove_app(house: House, account: Account, session: Session) -> object:
    return await house.remove_app(account, session)


async def remove_mail_codes(house: House, account: Account, session: Session) -> object:
    own = house.services.get(own_mail_codes)
    return await own.delete(account, session, caller=CALLER, now=house.now)


async def test_of_the_last_two_ways_in_one_stays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    account, phone = await house.person(), device()
    one, two = await enrolled(house, account, phone), await enrolled(house, account, phone)
    account = await house.change_account(account, password_hash=None)
    session, removal = await house.session(account), house.services.get(remove_passkey)

    async def remove(factor_id: str) -> object:
        return await removal.remove(account, session, factor_id, caller=CALLER, now=house.now)

    in_between(monkeypatch, lambda: remove(two.factor_id))
    # decided again beside what the other removal has left
    assert await remove(one.factor_id) == "last"
    assert await house.store.passkeys.of_account(account.id) == [one]


@pytest.mark.requirement(84)
async def test_of_two_demanded_steps_one_stays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await house.person()
    await house.authenticator(account)
    await with_mail_codes(house, account)
    session = await house.session(account)
    assert await house.store.commit(house.store.factor_demands.require(account.id, house.now))
    in_between(monkeypatch, lambda: remove_mail_codes(house, account, session))
    assert isinstance(await remove_app(house, account, session), Meanwhile)
    assert "totp" in await kinds(house, account)
    assert (await house.kinds()).count("second_factor.removed") == 1


@pytest.mark.requirement(77)
async def test_mail_codes_and_the_app_go_one_after_the_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The removal that comes second is decided again: at once they end as one after the other."""
    left: list[list[str]] = []
    for at_once in (False, True):
        account = await house.person(f"{at_once}@example.com")
        await house.authenticator(account)
        await with_mail_codes(house, account)
        session = await house.session(account)
        if at_once:
            in_between(monkeypatch, lambda one=account, of=session: remove_app(house, one, of))
        else:
            await remove_app(house, account, session)
        assert await remove_mail_codes(house, account, session) is None
        left.append(await kinds(house, account))
    assert left == [[], []]


@pytest.mark.requirement(72)
async def test_nothing_is_removed_or_made_in_a_session_that_was_ended(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, phone = await house.person(), device()
    await house.authenticator(account)
    await with_mail_codes(house, account)
    passkey = await enrolled(house, account, phone)
    before = await house.store.accounts.factors(account.id)
    removal = house.services.get(remove_passkey)

    async def in_ended(change: Callable[[Session], Awaitable[object]]) -> object:
        session = await house.session(account)
        end = house.store.sessions.end(session.id, house.now, "signed_out")
        in_between(monkeypatch, lambda: house.store.commit(end))
        return await change(session)

    assert isinstance(await in_ended(lambda session: remove_app(house, account, session)), Meanwhile)
    assert await in_ended(lambda session: remove_mail_codes(house, account, session)) == "over"
    outcome = await in_ended(
        lambda session: removal.remove(account, session, passkey.factor_id, caller=CALLER, now=house.now)
    )
    assert outcome == "over"
    made = await in_ended(
        lambda session: house.own_codes.new_codes(account, session, caller=CALLER, now=house.now)
    )
    assert made is None
    assert await house.store.accounts.factors(account.id) == before


@pytest.mark.requirement(72, 94)
@pytest.mark.parametrize("event", ["signed_out", "password", "disabled"])
async def test_no_silent_passkey_is_born_while_its_session_or_password_ends(
    house: House, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    account, phone = await house.person(), device()
    session, own = await house.session(account), house.services.get(own_passkeys)
    options = await own.options(
        account, binding=session.id, browser_hash=BROWSER, now=house.now, silently=True
    )
    answer = phone.create(options, silently=True)

    async def end() -> None:
        if event == "signed_out":
            await house.store.commit(house.store.sessions.end(session.id, house.now, "ended_by_owner"))
        elif event == "password":
            await house.change_account(account, password_changed_at=house.now)
        else:
            await house.change_account(account, disabled_at=house.now)

    in_between(monkeypatch, end)
    added = await own.add(
        account,
        answer,
        session_id=session.id,
        browser_hash=BROWSER,
        caller=CALLER,
        now=house.now,
        silently=True,
    )
    assert isinstance(added, NotAdded)
    assert await house.store.passkeys.of_account(account.id) == []


@pytest.mark.requirement(72)
async def test_no_app_is_set_up_in_a_session_that_was_ended(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await house.person()

    async def set_up(between: bool) -> None:
        browser = await house.signed_in()
        page = await browser.get("/account/methods/authenticator")
        found = re.search(r"secret=([A-Z2-7]+)", page.text)
        assert found is not None
        session, *_ = await house.store.sessions.live_of(account.id, house.now)
        end = house.store.sessions.end(session.id, house.now, "ended_by_owner")
        if between:
            in_between(monkeypatch, lambda: house.store.commit(end))
        await browser.submit(page, "authenticator", code=code_for(key_bytes(found[1]), house.now))

    await set_up(between=True)
    assert await kinds(house, account) == []
    # the same form in a session that lives
    await set_up(between=False)
    assert "totp" in await kinds(house, account)


@pytest.mark.requirement(84)
async def test_an_app_of_somebody_with_the_password_does_not_replace_the_one_that_its_owner_just_set_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with front_channel(second_factor=SecondFactorPolicy(require="required")) as front:
        ada = await front.person()
        tab = front.browser()
        page = await tab.on(await tab.sign_in())
        assert page.path.startswith("/sign-in/enrol")
        page = await tab.get(page.path.replace("/sign-in/enrol", "/sign-in/enrol/authenticator"))
        found = re.search(r"secret=([A-Z2-7]+)", page.text)
        assert found is not None
        in_between(monkeypatch, lambda: front.authenticator(ada))
        page = await tab.submit(page, "authenticator", code=code_for(key_bytes(found[1]), front.now))
        assert [row.id for row in await front.store.accounts.factors(ada.id)] == ["fac_one"]
        # the sign-in goes on, and asks for the code of the owner's app
        assert (await tab.on(page)).path.startswith("/sign-in/code")


@pytest.mark.requirement(84)
async def test_a_removal_begins_no_other_grace_period(house: House) -> None:
    account = await house.person()
    store, policy = house.store.factor_demands, SecondFactorPolicy(require="required", grace=1000)
    assert await house.store.commit(store.asked(account.id, house.now), store.met(account.id))
    await house.authenticator(account)
    assert await remove_app(house, account, await house.session(account)) is None
    asked = demand(
        policy,
        roles=(),
        client=None,
        row=await store.get(account.id),
        enrolled=False,
        acr=None,
        prompted=False,
        now=house.now,
    )
    assert (asked.steps, asked.grace_until) == (2, None)
