"""Are tries counted in windows, none lost, and is what may be seen once claimed once?"""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.ports.store import Store
from tests.store_contract.samples import NOW

pytestmark = pytest.mark.anyio
_fresh = itertools.count()


async def test_an_unknown_bucket_is_empty(store: Store) -> None:
    assert await store.attempts.count("nobody", NOW) == (0, NOW)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    window=st.integers(1, 20),
    steps=st.lists(
        st.tuples(st.sampled_from(["add", "add", "count", "clear"]), st.integers(0, 12)), max_size=20
    ),
)
async def test_windows_count_like_the_obvious_model(
    store: Store, window: int, steps: list[tuple[str, int]]
) -> None:
    bucket = f"bucket {next(_fresh)}"
    now, tries, ends = NOW, 0, 0
    for what, later in steps:
        now += later
        if what == "add":
            tries, ends = (tries + 1, ends) if ends > now else (1, now + window)
            assert await store.commit(store.attempts.add(bucket, now, window))
        elif what == "clear":
            tries, ends = 0, 0
            assert await store.commit(store.attempts.clear(bucket))
        assert await store.attempts.count(bucket, now) == ((tries, ends) if ends > now else (0, now))


@pytest.mark.requirement(81)
async def test_no_try_is_lost_when_many_come_at_once(store: Store, other: Store) -> None:
    tries = [
        one.commit(one.attempts.add("account", NOW, 900), one.attempts.add("address", NOW, 900))
        for one in (store, other)
        for _ in range(100)
    ]
    assert all(await asyncio.gather(*tries))
    assert await store.attempts.count("account", NOW) == (200, NOW + 900)
    assert await other.attempts.count("address", NOW) == (200, NOW + 900)


@pytest.mark.requirement(23)
async def test_an_assertion_id_is_claimed_once(store: Store, other: Store) -> None:
    claims = [
        one.commit(one.attempts.claim("jti", "a", NOW + 60)) for one in (store, other) for _ in range(20)
    ]
    assert sorted(await asyncio.gather(*claims)) == [False] * 39 + [True]
    assert await store.commit(store.attempts.claim("other space", "a", NOW + 60))
    assert await store.commit(store.attempts.claim("jti", "b", NOW + 60))


async def test_an_expired_claim_is_free_again(store: Store) -> None:
    claim = store.attempts.claim
    assert await store.commit(claim("jti", "a", NOW + 60, now=NOW))
    assert not await store.commit(claim("jti", "a", NOW + 120, now=NOW + 59))
    assert await store.commit(claim("jti", "a", NOW + 120, now=NOW + 60))
    assert not await store.commit(claim("jti", "a", NOW + 180, now=NOW + 61))
    await store.sweep(NOW + 120)
    assert await store.commit(claim("jti", "a", NOW + 180))
