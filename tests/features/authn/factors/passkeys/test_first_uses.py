"""First uses of passkeys in a process: the event loop goes on while their library is loaded (incident 0125)."""

from __future__ import annotations

import pytest

from doorward.features.authn.factors.passkeys import owning, proving
from doorward.features.authn.factors.passkeys.build import own_passkeys
from doorward.features.authn.factors.passkeys.owning import Prepared
from tests.features.authn.factors.passkeys.owners import (
    BINDING,
    BROWSER,
    answer,
    device,
    enrolled,
    prepare,
    prove,
)
from tests.people import House
from tests.slow_import import SlowImport

pytestmark = pytest.mark.anyio


async def test_two_people_add_a_passkey(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    account, phone = await house.person(), device()
    options = await house.services.get(own_passkeys).options(
        account, binding=BINDING, browser_hash=BROWSER, now=house.now
    )
    text = phone.create(options)
    slow = SlowImport(owning.registration, monkeypatch)
    outcomes = await slow.both(lambda: prepare(house, account, phone, text=text))
    assert [type(one) for one in outcomes] == [Prepared, Prepared]


async def test_two_people_sign_in(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    account, phone = await house.person(), device()
    await enrolled(house, account, phone)
    sign_in = await house.sign_in()
    text = await answer(house, phone, sign_in)
    slow = SlowImport(proving.assertion, monkeypatch)
    outcomes = await slow.both(lambda: prove(house, sign_in, text))
    assert not any(isinstance(one, Exception) for one in outcomes), outcomes
