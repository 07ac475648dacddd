"""Passkeys of a person, as an operator sees them."""

from __future__ import annotations

import pytest

from doorward.features.admin.error import AdminError
from doorward.features.admin.passkeys import passkeys
from tests.features.admin.managing import OPERATOR
from tests.features.authn.factors.passkeys.owners import device, enrolled
from tests.people import House

pytestmark = pytest.mark.anyio


async def test_an_operator_sees_which_passkeys_a_person_has(house: House) -> None:
    account, eve = await house.person(), await house.person("eve@example.com")
    desk = house.services.get(passkeys)
    assert await desk.find(OPERATOR, account.known_as) == (account, [])
    added_at = house.now
    passkey = await enrolled(house, account, device())
    await enrolled(house, eve, device())
    house.later(60)
    assert await desk.find(OPERATOR, account.id) == (account, [(passkey, added_at)])
    with pytest.raises(AdminError):
        await desk.find(OPERATOR, "nobody@example.com")
