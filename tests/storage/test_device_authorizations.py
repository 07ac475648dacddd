"""Requests of devices: round trips, the guards of their writes, and their end."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from doorward.core.model.device_authorization import DeviceAuthorization
from doorward.storage.sql.store import Store
from tests.storage.samples import DAY, NOW, account
from tests.storage.samples_devices import device_request

pytestmark = pytest.mark.anyio


async def kept(store: Store, request: DeviceAuthorization) -> DeviceAuthorization:
    found = await store.device_authorizations.get(request.id)
    assert found is not None
    return found


async def test_a_request_is_found_by_either_code(store: Store) -> None:
    one, two = device_request(), device_request("two", scopes=(), acr_values=(), max_age=None)
    for each in (one, two):
        assert await store.commit(store.device_authorizations.insert(each))
        assert await store.device_authorizations.get(each.id) == each
        assert await store.device_authorizations.by_device(each.device_hash) == each
        assert await store.device_authorizations.by_user(each.user_tag) == each
    assert await store.device_authorizations.by_user("tag none") is None


async def test_a_user_code_in_use_is_not_given_again(store: Store) -> None:
    assert await store.commit(store.device_authorizations.insert(device_request()))
    again = device_request("two", user_tag="tag one")
    assert not await store.commit(store.device_authorizations.insert(again))
    assert await store.device_authorizations.get(again.id) is None


async def test_a_request_is_decided_once_and_in_time(store: Store) -> None:
    devices, one, late = store.device_authorizations, device_request(), device_request("late")
    assert await store.commit(devices.insert(one), devices.insert(late))
    allow = [
        devices.approve(one.id, account_id=f"usr_{n}", grant_id=f"grt_{n}", at=NOW + n) for n in range(8)
    ]
    refuse = [devices.deny(one.id, account_id="usr_ada", at=NOW + 9) for _ in range(8)]
    done = await asyncio.gather(*(store.commit(each) for each in (*allow, *refuse)))
    assert sum(done) == 1
    for each in (
        devices.approve(late.id, account_id="usr_ada", grant_id="grt_1", at=NOW + 600),
        devices.deny(late.id, account_id="usr_ada", at=NOW + 600),
    ):
        assert not await store.commit(each)
    assert await kept(store, late) == late


async def test_only_an_allowed_request_is_redeemed_and_once(store: Store) -> None:
    devices, one = store.device_authorizations, device_request()
    assert await store.commit(devices.insert(one))
    assert not await store.commit(devices.redeem(one.id, NOW))
    assert await store.commit(devices.approve(one.id, account_id="usr_ada", grant_id="grt_1", at=NOW + 1))
    done = await asyncio.gather(*(store.commit(devices.redeem(one.id, NOW + 2)) for _ in range(16)))
    assert sum(done) == 1
    assert await kept(store, one) == replace(
        one, approved_at=NOW + 1, account_id="usr_ada", grant_id="grt_1", redeemed_at=NOW + 2
    )


async def test_the_interval_is_raised_from_what_was_read(store: Store) -> None:
    devices, one = store.device_authorizations, device_request()
    assert await store.commit(devices.insert(one))
    assert await store.commit(devices.slow(one, 10, NOW + 1))
    assert not await store.commit(devices.slow(one, 10, NOW + 2))
    assert await kept(store, one) == replace(one, interval=10, slowed_at=NOW + 1)


async def test_requests_end_with_the_account_and_a_day_after_they_expired(store: Store) -> None:
    devices, one, other = store.device_authorizations, device_request(), device_request("other")
    assert await store.commit(store.accounts.insert(account()), devices.insert(one), devices.insert(other))
    assert await store.commit(devices.approve(one.id, account_id="usr_ada", grant_id="grt_1", at=NOW + 1))
    await store.sweep(NOW + 600 + DAY - 1)
    assert await devices.get(other.id) is not None
    assert await store.commit(store.delete_account("usr_ada"))
    assert await devices.get(one.id) is None
    await store.sweep(NOW + 600 + DAY)
    assert await devices.get(other.id) is None


@pytest.mark.parametrize(
    ("changes", "at", "state"),
    [
        ({}, NOW + 599, "pending"),
        ({}, NOW + 600, "expired"),
        ({"denied_at": NOW + 1}, NOW + 900, "denied"),
        ({"approved_at": NOW + 1}, NOW + 2, "approved"),
        # the device was too slow: what it could still redeem would be older than it said
        ({"approved_at": NOW + 1}, NOW + 600, "expired"),
        ({"approved_at": NOW + 1, "redeemed_at": NOW + 2}, NOW + 900, "redeemed"),
    ],
)
def test_the_state_of_a_request(changes: dict[str, int], at: int, state: str) -> None:
    assert device_request(**changes).state(at) == state
