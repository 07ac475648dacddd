"""Enrolment of the authenticator app: set-up, replacement and removal by the owner only."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.policy import ThrottlePolicy
from doorward.core.model.session import Session
from doorward.features.authn.factors.totp.owning import SETUP_TTL, SetupOver, WrongCode
from doorward.features.authn.flow.enrolment import NewFactor
from doorward.web.pages.views.problems import FormProblem, Wrong
from tests.people import House, code_for, key_bytes

pytestmark = pytest.mark.anyio


async def confirm(house: House, account: Account, session: Session, sealed: str, typed: str) -> Any:
    return await house.set_up_app(account, session, sealed, typed)


async def test_the_app_counts_after_it_has_proven_a_code(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    setup = house.own_app.begin(account, session.id, house.now)
    seed = key_bytes(setup.key)
    assert len(seed) == 20
    assert setup.key not in setup.sealed
    assert await house.store.accounts.factors(account.id) == []
    wrong = f"{(int(code_for(seed, house.now)) + 500_000) % 1_000_000:06d}"
    assert isinstance(await confirm(house, account, session, setup.sealed, wrong), WrongCode)
    again = house.own_app.shown_again(account, session.id, setup.sealed, house.now)
    assert again is not None
    assert again.key == setup.key
    made = await confirm(house, account, session, again.sealed, code_for(seed, house.now))
    assert isinstance(made, NewFactor)
    kinds = [factor.kind for factor in await house.store.accounts.factors(account.id)]
    assert sorted(kinds) == ["recovery_code"] * 10 + ["totp"]
    assert [kind for _, kind, _ in await house.mails()] == ["second_factor_added"]


@pytest.mark.requirement(82)
async def test_the_code_used_for_set_up_cannot_be_used_again(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    setup = house.own_app.begin(account, session.id, house.now)
    seed = key_bytes(setup.key)
    assert isinstance(
        await confirm(house, account, session, setup.sealed, code_for(seed, house.now)), NewFactor
    )
    (app,) = [f for f in await house.store.accounts.factors(account.id) if f.kind == "totp"]
    assert app.last_step == house.now // 30


async def test_a_set_up_page_is_bound_to_one_session_and_half_an_hour(house: House) -> None:
    account, other = await house.person(), await house.person("eve@example.com")
    session = await house.session(account)
    setup = house.own_app.begin(account, session.id, house.now)
    code = code_for(key_bytes(setup.key), house.now)
    for who, where in ((account, await house.session(account)), (other, session)):
        assert isinstance(await confirm(house, who, where, setup.sealed, code), SetupOver)
    for sealed in ("", "AAAA", setup.sealed[:-4] + "AAAA", "ünsinn", "x" * 10_000):
        assert isinstance(await confirm(house, account, session, sealed, code), SetupOver)
    house.later(SETUP_TTL)
    later = code_for(key_bytes(setup.key), house.now)
    assert isinstance(await confirm(house, account, session, setup.sealed, later), SetupOver)


@pytest.mark.requirement(73)
async def test_removing_the_app_requires_the_password_and_removes_the_codes(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    session = await house.session(account)
    assert await house.remove_app(account, session, "wrong") == FormProblem(Wrong.PASSWORD_MISMATCH)
    assert len(await house.store.accounts.factors(account.id)) == 11
    assert await house.remove_app(account, session) is None
    assert await house.store.accounts.factors(account.id) == []
    (_, newest, letter), *_ = await house.mails()
    assert newest == "second_factor_removed"
    assert "From now on one step is enough to sign in." in letter.text
    assert "second_factor.removed" in await house.kinds()


@pytest.mark.requirement(100)
async def test_the_mail_about_the_removal_knows_of_other_second_steps(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    phone = EnrolledFactor("fac_phone", account.id, "sms", house.now)
    assert await house.store.commit(house.store.accounts.add_factor(phone))
    assert await house.remove_app(account, await house.session(account)) is None
    (_, newest, letter), *_ = await house.mails()
    assert newest == "second_factor_removed"
    assert "Your other second steps still work." in letter.text
    assert "password alone" not in letter.text


@pytest.mark.requirement(77)
async def test_the_app_cannot_be_removed_while_the_password_is_short(house: House) -> None:
    account = await house.person(password="kV3#zPq9")
    await house.authenticator(account)
    session = await house.session(account)
    assert await house.remove_app(account, session, "kV3#zPq9") == FormProblem(Wrong.PASSWORD_TOO_SHORT, 15)
    assert len(await house.store.accounts.factors(account.id)) == 11


@pytest.mark.requirement(81)
async def test_password_guesses_are_limited_here_too(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    session = await house.session(account)
    for number in range(ThrottlePolicy().per_account):
        await house.remove_app(account, session, f"guess {number}")
    outcome = await house.remove_app(account, session)
    assert isinstance(outcome, FormProblem)
    assert outcome.kind is Wrong.TOO_MANY_TRIES
