"""Commands about the devices on which somebody is not asked for the second step."""

from __future__ import annotations

import asyncio
import time

from msgspec.structs import replace

from doorward.features.authn.trusted_device.rules import mark
from doorward.storage.sql.open import open_store
from tests.browsing import CHROME
from tests.cli.conftest import Run
from tests.storage.samples_devices import remembered

ADA = "ada@example.com"


def test_remembered_devices_are_shown_and_forgotten(stocked: Run) -> None:
    assert stocked("user", "factors", ADA, "--json").document["devices"] == []
    nothing = stocked("user", "forget-devices", ADA)
    assert (nothing.status, "doorward user factors ada@example.com" in nothing.err) == (1, True)
    _remembered_on("dev_1", "dev_2", "dev_3")
    document = stocked("user", "factors", ADA, "--json").document
    assert sorted(one["id"] for one in document["devices"]) == ["dev_1", "dev_2", "dev_3"]
    shown = {"id", "name", "browser", "address", "added_at", "last_used_at", "expires_at"}
    assert {*document["devices"][0]} == shown
    assert "Chrome on Linux, until" in stocked("user", "show", ADA).out
    one = stocked("user", "forget-devices", ADA, "--id", "dev_2", "--reason", "sold")
    assert "on 2 devices" in one.out
    wrong = stocked("user", "forget-devices", ADA, "--id", "dev_2")
    assert (wrong.status, "dev_2" in wrong.err) == (1, True)
    assert stocked("user", "forget-devices", ADA, "--json").document["devices"] == []
    assert "no second step" not in stocked("user", "factors", ADA).out


def _remembered_on(*ids: str) -> None:
    async def work() -> None:
        store = await open_store("doorward.db")
        (account,) = await store.accounts.find(ADA)
        now = int(time.time())
        device = remembered(account_id=account.id, factors_mark=mark(account, [], ()), user_agent=CHROME)
        for device_id in ids:
            soon = replace(device, id=device_id, created_at=now, expires_at=now + 999)
            assert await store.commit(store.remembered_devices.insert(soon))
        await store.close()

    asyncio.run(work())
