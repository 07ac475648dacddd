"""Recovery codes of a person: who may have some, and what new ones do to old ones."""

from __future__ import annotations

import pytest

from doorward.core.model.account import Account, EnrolledFactor
from doorward.features.authn.factors.recovery_codes.owning import Codes
from doorward.features.authn.factors.recovery_codes.views import RecoveryCard
from doorward.features.authn.flow.shown import CardOwner
from tests.people import CALLER, House

pytestmark = pytest.mark.anyio


async def card(house: House, account: Account) -> RecoveryCard | None:
    rows = await house.store.accounts.factors(account.id)
    return await house.own_codes.card(CardOwner(account=account, rows=rows, allowed=frozenset(), locale="en"))


@pytest.mark.requirement(84)
async def test_ten_different_recovery_codes_are_made_and_new_ones_replace_them(house: House) -> None:
    account = await house.person()
    _, first = await house.authenticator(account)
    assert len(set(first)) == 10
    assert all(len(code.replace("-", "")) == 24 for code in first)
    session = await house.session(account)
    made = await house.own_codes.new_codes(account, session, caller=CALLER, now=house.now)
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
    assert await card(house, account) == RecoveryCard()
    session = await house.session(account)
    first = await house.own_codes.new_codes(account, session, caller=CALLER, now=house.now)
    again = await house.own_codes.new_codes(account, session, caller=CALLER, now=house.now)
    assert isinstance(first, Codes)
    assert isinstance(again, Codes)
    assert not set(first.codes) & set(again.codes)
    texts = [letter.text for _, kind, letter in await house.mails() if kind == "recovery_codes_made"]
    assert ["The old ones no longer work." in text for text in texts] == [True, False]
    assert await card(house, account) == RecoveryCard(left=10, made=10)


async def test_recovery_codes_require_a_second_factor(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    assert await house.own_codes.new_codes(account, session, caller=CALLER, now=house.now) is None
    assert await card(house, account) is None
