"""Remembered devices: round trips, the guards of their writes, and their end."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from doorward.core.model.remembered_device import RememberedDevice
from doorward.storage.sql.remembered_devices import MOST_REMEMBERED
from doorward.storage.sql.statements import Write
from doorward.storage.sql.store import Store
from tests.storage.samples import DAY, NOW, account, factor, sha
from tests.storage.samples_devices import remembered

pytestmark = pytest.mark.anyio
ONE, TWO, THREE = (sha(f"one {number}") for number in (1, 2, 3))


@pytest.fixture
async def ada(store: Store) -> Store:
    """The store, with two people."""
    assert await store.commit(store.accounts.insert(account()), store.accounts.insert(account("bob")))
    return store


async def ids(store: Store, account_id: str = "usr_ada") -> list[str]:
    return [one.id for one in await store.remembered_devices.of_account(account_id)]


def turned(store: Store, device: RememberedDevice, shown: bytes, successor: bytes, at: int) -> Write:
    return store.remembered_devices.rotate(device, shown=shown, successor=successor, since=at - 60, at=at)


async def test_a_device_is_read_as_it_was_written(ada: Store) -> None:
    plain, full = remembered(), remembered("two", previous_hash=TWO, name="Ünal’s phone", created_at=NOW + 1)
    assert await ada.commit(ada.remembered_devices.insert(plain), ada.remembered_devices.insert(full))
    assert await ada.remembered_devices.get(plain.id) == plain
    assert list(await ada.remembered_devices.of_account("usr_ada")) == [full, plain]
    assert await ada.remembered_devices.get("dev_none") is None
    assert await ids(ada, "usr_bob") == []


async def test_a_secret_is_replaced_and_counts_for_a_minute_more(ada: Store) -> None:
    device = remembered()
    assert await ada.commit(ada.remembered_devices.insert(device))
    assert await ada.commit(turned(ada, device, ONE, TWO, NOW + 100))
    found = replace(device, secret_hash=TWO, previous_hash=ONE, rotated_at=NOW + 100, used_at=NOW + 100)
    assert await ada.remembered_devices.get(device.id) == found
    # another tab, with the same secret and so with the same successor: the minute is not extended
    assert await ada.commit(turned(ada, device, ONE, TWO, NOW + 160))
    assert await ada.remembered_devices.get(device.id) == replace(found, used_at=NOW + 160)
    assert not await ada.commit(turned(ada, device, ONE, TWO, NOW + 161))
    assert not await ada.commit(turned(ada, device, ONE, THREE, NOW + 110))
    assert not await ada.commit(turned(ada, device, THREE, ONE, NOW + 110))
    assert await ada.commit(turned(ada, device, TWO, THREE, NOW + 170))
    assert not await ada.commit(turned(ada, device, ONE, TWO, NOW + 171)), "it was replaced twice"


async def test_a_device_that_ended_or_is_good_for_other_factors_is_not_used(ada: Store) -> None:
    device = remembered()
    assert await ada.commit(ada.remembered_devices.insert(device))
    other = replace(device, factors_mark="1" * 64)
    assert not await ada.commit(turned(ada, other, ONE, TWO, NOW))
    assert await ada.commit(ada.remembered_devices.end("usr_ada", device.id))
    assert not await ada.commit(turned(ada, device, ONE, TWO, NOW))


async def test_a_device_ends_once_and_only_for_its_owner(ada: Store) -> None:
    device = remembered()
    assert await ada.commit(ada.remembered_devices.insert(device))
    assert not await ada.commit(ada.remembered_devices.end("usr_bob", device.id))
    assert not await ada.commit(ada.remembered_devices.rename("usr_bob", device.id, "Mine"))
    assert await ada.commit(ada.remembered_devices.drop("usr_bob", device.id))
    assert await ada.commit(ada.remembered_devices.rename("usr_ada", device.id, "Kitchen"))
    assert [one.name for one in await ada.remembered_devices.of_account("usr_ada")] == ["Kitchen"]
    ended = await asyncio.gather(
        *(ada.commit(ada.remembered_devices.end("usr_ada", device.id)) for _ in range(6))
    )
    assert ended.count(True) == 1
    assert await ada.commit(ada.remembered_devices.drop("usr_ada", device.id))
    assert not await ada.commit(ada.remembered_devices.rename("usr_ada", device.id, None))


@pytest.mark.requirement(93)
async def test_the_oldest_of_more_than_ten_ends(ada: Store, other: Store) -> None:
    theirs = remembered("theirs", account_id="usr_bob", created_at=NOW - 99)
    assert await ada.commit(ada.remembered_devices.insert(theirs))
    for number in range(MOST_REMEMBERED + 2):
        device = remembered(f"{number:02}", created_at=NOW + number)
        assert await ada.commit(ada.remembered_devices.insert(device))
    assert await ids(ada) == [f"dev_{number:02}" for number in range(MOST_REMEMBERED + 1, 1, -1)]
    assert await ids(ada, "usr_bob") == [theirs.id]
    # at once: the account's row is locked before
    owner = await ada.accounts.get("usr_ada")
    assert owner is not None
    stored = await asyncio.gather(
        *(
            through.commit(
                through.accounts.replace(owner, old=owner),
                through.remembered_devices.insert(remembered(f"at once {number}", created_at=NOW + 99)),
            )
            for number in range(8)
            for through in (ada, other)
            if number % 2 == (through is other)
        )
    )
    assert all(stored)
    assert len(await ids(ada)) == MOST_REMEMBERED


async def test_all_of_a_person_end_but_one(ada: Store) -> None:
    mine, here, theirs = remembered(), remembered("here"), remembered("theirs", account_id="usr_bob")
    assert await ada.commit(*(ada.remembered_devices.insert(one) for one in (mine, here, theirs)))
    assert await ada.commit(ada.remembered_devices.end_of_account("usr_ada", but=here.id))
    assert await ids(ada) == [here.id]
    assert await ada.commit(ada.remembered_devices.end_of_account("usr_ada"))
    assert (await ids(ada), await ids(ada, "usr_bob")) == ([], [theirs.id])


async def test_devices_end_with_their_owner_and_when_they_expire(ada: Store) -> None:
    assert await ada.commit(ada.accounts.add_factor(factor()))
    assert await ada.commit(
        ada.remembered_devices.insert(remembered()),
        ada.remembered_devices.insert(remembered("theirs", account_id="usr_bob")),
    )
    await ada.sweep(NOW + 30 * DAY - 1)
    assert await ids(ada) == ["dev_one"]
    assert await ada.commit(ada.delete_account("usr_bob"))
    assert await ids(ada, "usr_bob") == []
    await ada.sweep(NOW + 30 * DAY)
    assert await ids(ada) == []
