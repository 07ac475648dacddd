"""Attempt counters with time windows, and one-time claims."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.core.model.bucket import Bucket
from doorward.storage.sql.store import Store
from tests.storage.samples import NOW, running_tries
from tests.storage.stores import THEMSELVES, on

pytestmark = pytest.mark.anyio
_fresh = itertools.count()


async def test_an_unknown_bucket_is_empty(store: Store) -> None:
    assert await running_tries(store, "nobody", NOW) == (0, NOW)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    window=st.integers(1, 20),
    steps=st.lists(
        st.tuples(st.sampled_from(["add", "add", "count", "clear"]), st.integers(0, 12)), max_size=20
    ),
)
async def test_windows_count_like_a_simple_model(
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
        assert await running_tries(store, bucket, now) == ((tries, ends) if ends > now else (0, now))


@on(*THEMSELVES)
@pytest.mark.requirement(81)
async def test_no_concurrent_attempt_is_lost(store: Store, other: Store) -> None:
    tries = [
        one.commit(one.attempts.add("account", NOW, 900), one.attempts.add("address", NOW, 900))
        for one in (store, other)
        for _ in range(100)
    ]
    assert all(await asyncio.gather(*tries))
    assert await running_tries(store, "account", NOW) == (200, NOW + 900)
    assert await running_tries(other, "address", NOW) == (200, NOW + 900)


@pytest.mark.requirement(81)
async def test_concurrent_attempts_are_counted_up_to_exactly_the_limit(store: Store, other: Store) -> None:
    window, day = Bucket("window", 5, 900), Bucket("day", 8, 86_400)

    async def burst(now: int) -> int:
        tries = [
            one.commit(one.attempts.take(day, now), one.attempts.take(window, now))
            for one in (store, other)
            for _ in range(30)
        ]
        return sum(await asyncio.gather(*tries))

    assert await burst(NOW) == 5
    assert await burst(NOW + 899) == 0
    # the next window has room for five more, the day for three
    assert await burst(NOW + 900) == 3
    assert await store.attempts.counts(["window", "day", "nobody"]) == {
        "window": (3, NOW + 1800),
        "day": (8, NOW + 86_400),
    }


async def test_several_attempts_are_added_in_one_write(store: Store) -> None:
    assert await store.commit(store.attempts.add("b", NOW, 900, tries=7))
    assert await store.commit(store.attempts.add("b", NOW + 1, 900, tries=2))
    assert await running_tries(store, "b", NOW + 1) == (9, NOW + 900)
    assert await store.commit(store.attempts.add("b", NOW + 900, 900, tries=4))
    assert await running_tries(store, "b", NOW + 900) == (4, NOW + 1800)


async def test_many_counters_are_read_in_one_query(store: Store) -> None:
    names = [f"many {number}" for number in range(120)]
    await store.commit(*(store.attempts.add(name, NOW, 60, tries=3) for name in names))
    assert await store.attempts.counts(names) == dict.fromkeys(names, (3, NOW + 60))
    assert await store.attempts.counts([]) == {}


@pytest.mark.requirement(23)
async def test_an_assertion_id_is_claimed_once(store: Store, other: Store) -> None:
    claims = [
        one.commit(one.replay_cache.claim("jti", "a", NOW + 60)) for one in (store, other) for _ in range(20)
    ]
    assert sorted(await asyncio.gather(*claims)) == [False] * 39 + [True]
    assert await store.commit(store.replay_cache.claim("other space", "a", NOW + 60))
    assert await store.commit(store.replay_cache.claim("jti", "b", NOW + 60))


async def test_an_expired_claim_is_free_again(store: Store) -> None:
    claim = store.replay_cache.claim
    assert await store.commit(claim("jti", "a", NOW + 60, now=NOW))
    assert not await store.commit(claim("jti", "a", NOW + 120, now=NOW + 59))
    assert await store.commit(claim("jti", "a", NOW + 120, now=NOW + 60))
    assert not await store.commit(claim("jti", "a", NOW + 180, now=NOW + 61))
    while await store.sweep(NOW + 120 + 600):
        pass
    assert await store.commit(claim("jti", "a", NOW + 180))
