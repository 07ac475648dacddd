"""Exact counters under concurrent use by several processes."""

from __future__ import annotations

import asyncio

import pytest

from doorward.adapters.counters.store import StoreCounters
from doorward.core.model.bucket import Bucket
from doorward.core.model.policy import ThrottlePolicy
from doorward.features.authn.factors.password.service import GUESSED
from doorward.features.rate_limits.rules import attempts
from doorward.features.rate_limits.rules.attempts import CODE, Guessed, Wait
from doorward.features.rate_limits.service import Throttle
from tests.people import House
from tests.storage.samples import running_tries

pytestmark = pytest.mark.anyio
LIMIT = ThrottlePolicy().per_account


def own(house: House, guessed: Guessed, who: str) -> tuple[Bucket, ...]:
    return attempts.guess(
        guessed,
        who,
        "192.0.2.1",
        known_device=None,
        policy=house.throttle.policy,
        tag=lambda text: house.sealer.tag("throttle", text),
    ).own


@pytest.mark.requirement(81)
async def test_over_several_processes_exactly_the_limit_is_checked(house: House) -> None:
    processes = [
        Throttle(
            store=house.store,
            sealer=house.sealer,
            policy=ThrottlePolicy(),
            counters=StoreCounters(store=house.store),
        )
        for _ in range(4)
    ]
    buckets = own(house, GUESSED, "ada@example.com")
    answers = await asyncio.gather(*(process.take(buckets, house.now) for process in processes * 10))
    assert sum(not isinstance(answer, Wait) for answer in answers) == LIMIT


@pytest.mark.requirement(81)
async def test_in_one_process_exactly_the_limit_is_checked(house: House) -> None:
    buckets = own(house, GUESSED, "ada@example.com")
    answers = await asyncio.gather(*(house.throttle.take(buckets, house.now) for _ in range(40)))
    assert sum(not isinstance(answer, Wait) for answer in answers) == LIMIT
    # refused attempts are not counted: in the day's counter they would lock the owner out until the next day
    counted = await house.throttle.counters.counted(buckets, house.now)
    assert [tries for _, tries, _ in counted] == [LIMIT, LIMIT]


async def test_a_refused_attempt_is_not_counted_and_does_not_extend_the_wait(house: House) -> None:
    buckets = own(house, CODE, "usr_1")
    for _ in range(ThrottlePolicy().per_code):
        assert await house.throttle.take(buckets, house.now) is None
    end = house.now + ThrottlePolicy().window
    house.later(500)
    assert await house.throttle.take(buckets, house.now) == Wait(end)
    assert await house.throttle.full(buckets, house.now) is not None
    count, _ = await running_tries(house.store, buckets[0].key, house.now)
    assert count == ThrottlePolicy().per_code


async def test_counter_keys_contain_no_names(house: House) -> None:
    policy, ada = house.throttle.policy, "ada@example.com"

    def tag(text: str) -> str:
        return house.sealer.tag("throttle", text)

    guess = attempts.guess(GUESSED, ada, "192.0.2.1", known_device=None, policy=policy, tag=tag)
    mail = attempts.of_mail(ada, "192.0.2.1", known_device=None, policy=policy, tag=tag)
    for bucket in (*guess.own, *guess.networks, *mail.all):
        assert len(bucket.key) == 43
        assert "ada" not in bucket.key


@pytest.mark.requirement(81)
async def test_a_window_opened_by_a_clock_far_ahead_locks_nobody_out(house: House) -> None:
    buckets = own(house, CODE, "usr_1")
    house.later(365 * 86_400)
    for _ in range(ThrottlePolicy().per_code):
        assert await house.throttle.take(buckets, house.now) is None
    assert await house.throttle.take(buckets, house.now) is not None
    house.later(-365 * 86_400)
    assert await house.throttle.take(buckets, house.now) is None
    for _ in range(ThrottlePolicy().per_code - 1):
        assert await house.throttle.take(buckets, house.now) is None
    assert isinstance(await house.throttle.take(buckets, house.now), Wait)


@pytest.mark.requirement(81)
async def test_clocks_that_differ_by_minutes_share_one_window(house: House) -> None:
    buckets = own(house, CODE, "usr_1")
    for number in range(ThrottlePolicy().per_code):
        assert await house.throttle.take(buckets, house.now + 300 * (number % 2)) is None
    assert isinstance(await house.throttle.take(buckets, house.now), Wait)
    assert isinstance(await house.throttle.take(buckets, house.now + 300), Wait)
