"""Enrolment of the authenticator app: set-up, replacement and removal by the owner only."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.policy import ThrottlePolicy
from doorward.core.model.secret import Secret
from doorward.core.model.session import Session
from doorward.features.authn.factors.password.rules.password import Weak
from doorward.features.authn.methods.service import SETUP_TTL, Codes, NewApp, SetupOver, WrongCode
from tests.people import CALLER, PASSWORD, House, code_for, key_bytes

pytestmark = pytest.mark.anyio


async def confirm(house: House, account: Account, session: Session, sealed: str, typed: str) -> Any:
    return await house.set_up_app(account, session, sealed, typed)


async def remove(house: House, account: Account, session: Session, password: str = PASSWORD) -> Any:
    return await house.factors.remove(
        account, session, password=Secret(password), caller=CALLER, now=house.now
    )


async def test_the_app_counts_after_it_has_proven_a_code(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    setup = house.factors.begin(account, session.id, house.now)
    seed = key_bytes(setup.key)
    assert len(seed) == 20
    assert setup.key not in setup.sealed
    assert await house.store.accounts.factors(account.id) == []
    wrong = f"{(int(code_for(seed, house.now)) + 500_000) % 1_000_000:06d}"
    assert isinstance(await confirm(house, account, session, setup.sealed, wrong), WrongCode)
    again = house.factors.shown_again(account, session.id, setup.sealed, house.now)
    assert again is not None
    assert again.key == setup.key
    made = await confirm(house, account, session, again.sealed, code_for(seed, house.now))
    assert isinstance(made, NewApp)
    kinds = [factor.kind for factor in await house.store.accounts.factors(account.id)]
    assert sorted(kinds) == ["recovery_code"] * 10 + ["totp"]
    assert [kind for _, kind, _ in await house.mails()] == ["second_factor_added"]


@pytest.mark.requirement(82)
async def test_the_code_used_for_set_up_cannot_be_used_again(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    setup = house.factors.begin(account, session.id, house.now)
    seed = key_bytes(setup.key)
    assert isinstance(await confirm(house, account, session, setup.sealed, code_for(seed, house.now)), NewApp)
    (app,) = [f for f in await house.store.accounts.factors(account.id) if f.kind == "totp"]
    assert app.last_step == house.now // 30


async def test_a_set_up_page_is_bound_to_one_session_and_half_an_hour(house: House) -> None:
    account, other = await house.person(), await house.person("eve@example.com")
    session = await house.session(account)
    setup = house.factors.begin(account, session.id, house.now)
    code = code_for(key_bytes(setup.key), house.now)
    for who, where in ((account, await house.session(account)), (other, session)):
        assert isinstance(await confirm(house, who, where, setup.sealed, code), SetupOver)
    for sealed in ("", "AAAA", setup.sealed[:-4] + "AAAA", "ünsinn", "x" * 10_000):
        assert isinstance(await confirm(house, account, session, sealed, code), SetupOver)
    house.later(SETUP_TTL)
    later = code_for(key_bytes(setup.key), house.now)
    assert isinstance(await confirm(house, account, session, setup.sealed, later), SetupOver)


@pytest.mark.requirement(84)
async def test_ten_different_recovery_codes_are_made_and_new_ones_replace_them(house: House) -> None:
    account = await house.person()
    _, first = await house.authenticator(account)
    assert len(set(first)) == 10
    assert all(len(code.replace("-", "")) == 24 for code in first)
    session = await house.session(account)
    made = await house.factors.new_codes(account, session, caller=CALLER, now=house.now)
    assert isinstance(made, Codes)
    assert not set(first) & set(made.codes)
    kept = [f for f in await house.store.accounts.factors(account.id) if f.kind == "recovery_code"]
    assert len(kept) == 10
    assert "recovery_codes_made" in [kind for _, kind, _ in await house.mails()]


@pytest.mark.parametrize("kind", ["passkey", "security_key", "sms", "email_code"])
async def test_any_second_factor_permits_recovery_codes(house: House, kind: str) -> None:
    account = await house.person()
    factor = EnrolledFactor("fac_only", account.id, kind, house.now)
    assert await house.store.commit(house.store.accounts.add_factor(factor))
    there = await house.factors.there(account)
    assert (there.recoverable, there.codes_made) == (True, 0)
    session = await house.session(account)
    first = await house.factors.new_codes(account, session, caller=CALLER, now=house.now)
    again = await house.factors.new_codes(account, session, caller=CALLER, now=house.now)
    assert isinstance(first, Codes)
    assert isinstance(again, Codes)
    assert not set(first.codes) & set(again.codes)
    texts = [letter.text for _, kind, letter in await house.mails() if kind == "recovery_codes_made"]
    assert ["The old ones no longer work." in text for text in texts] == [True, False]
    assert (await house.factors.there(account)).codes_left == 10


async def test_recovery_codes_require_a_second_factor(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    assert await house.factors.new_codes(account, session, caller=CALLER, now=house.now) is None
    assert not (await house.factors.there(account)).recoverable


@pytest.mark.requirement(73)
async def test_removing_the_app_requires_the_password_and_removes_the_codes(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    session = await house.session(account)
    assert isinstance(await remove(house, account, session, "wrong"), OAuthError)
    assert len(await house.store.accounts.factors(account.id)) == 11
    assert await remove(house, account, session) is None
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
    assert await remove(house, account, await house.session(account)) is None
    (_, newest, letter), *_ = await house.mails()
    assert newest == "second_factor_removed"
    assert "Your other second steps still work." in letter.text
    assert "password alone" not in letter.text


@pytest.mark.requirement(77)
async def test_the_app_cannot_be_removed_while_the_password_is_short(house: House) -> None:
    account = await house.person(password="kV3#zPq9")
    await house.authenticator(account)
    session = await house.session(account)
    assert await remove(house, account, session, "kV3#zPq9") == Weak("too_short", 15)
    assert len(await house.store.accounts.factors(account.id)) == 11


@pytest.mark.requirement(81)
async def test_password_guesses_are_limited_here_too(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    session = await house.session(account)
    for number in range(ThrottlePolicy().per_account):
        await remove(house, account, session, f"guess {number}")
    outcome = await remove(house, account, session)
    assert isinstance(outcome, OAuthError)
    assert outcome.code == "too_many_attempts"
