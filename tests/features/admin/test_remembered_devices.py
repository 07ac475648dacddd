"""Administration of the devices on which somebody is not asked for the second step."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.features.admin.build import factors as admin_factors
from doorward.features.admin.error import AdminError
from doorward.features.authn.trusted_device.build import trusted_devices
from tests.features.admin.managing import OPERATOR
from tests.people import CALLER, CHROME, House

pytestmark = pytest.mark.anyio


@pytest.mark.requirement(85)
async def test_an_operator_ends_remembered_devices_and_a_reset_ends_all(house: House) -> None:
    ada = await house.person()
    await house.authenticator(ada)
    desk = house.services.get(admin_factors)
    devices, caller = house.services.get(trusted_devices), structs.replace(CALLER, user_agent=CHROME)
    for _ in range(3):
        rows = await house.store.accounts.factors(ada.id)
        new = await devices.new(ada, caller, house.now)
        assert await house.store.commit(*await new.writes(ada, rows))
    found = await desk.find(OPERATOR, ada.known_as)
    assert [(one.browser, one.address, one.name) for one in found.devices] == [
        ("Chrome on Linux", "192.0.2.1", None)
    ] * 3
    left = await desk.forget_devices(OPERATOR, ada.id, device_id=found.devices[1].id, reason="sold")
    assert [one.id for one in left.devices] == [found.devices[0].id, found.devices[2].id]
    with pytest.raises(AdminError, match="device_not_remembered"):
        await desk.forget_devices(OPERATOR, ada.id, device_id=found.devices[1].id)
    line = next(one for one in await house.audit() if one.kind == "trusted_device.ended")
    assert (line.detail["devices"], line.detail["reason"], line.detail["by"]) == (
        [found.devices[1].id],
        "sold",
        "operator",
    )
    await desk.reset(OPERATOR, ada.known_as)
    assert await house.store.remembered_devices.of_account(ada.id) == []
    with pytest.raises(AdminError, match="device_not_remembered"):
        await desk.forget_devices(OPERATOR, ada.id)
