"""When is a try one too many, and whom does that concern?"""

from __future__ import annotations

import pytest

from doorward.model.bucket import Bucket
from doorward.model.policy import ThrottlePolicy
from doorward.rules.prove import attempts
from doorward.rules.prove.attempts import Wait

POLICY = ThrottlePolicy()
DEVICE = b"\x01" * 32


def tag(text: str) -> str:
    return f"<{text}>"


def person(trusted: bytes | None = None, who: str = "ada@example.com") -> tuple[Bucket, ...]:
    return attempts.of_person("password", who, trusted_device=trusted, policy=POLICY, tag=tag)


@pytest.mark.requirement(81)
def test_a_known_device_shares_no_counter_with_strangers() -> None:
    ours, theirs = {b.key for b in person(DEVICE)}, {b.key for b in person()}
    assert not ours & theirs


@pytest.mark.requirement(81)
def test_there_are_counters_for_a_window_and_for_a_day_with_at_most_a_hundred_tries() -> None:
    window, day = person()
    assert (window.limit, window.window) == (POLICY.per_account, POLICY.window)
    assert (day.limit, day.window) == (100, 86_400)


@pytest.mark.requirement(80)
def test_unknown_people_have_counters_like_everybody() -> None:
    known, unknown = person(), person(who="nobody@example.com")
    assert [(b.limit, b.window) for b in known] == [(b.limit, b.window) for b in unknown]


@pytest.mark.requirement(82)
def test_codes_are_counted_by_person_and_not_by_sign_in_or_session() -> None:
    first = attempts.of_person("code", "usr_1", trusted_device=None, policy=POLICY, tag=tag)
    assert first == attempts.of_person("code", "usr_1", trusted_device=None, policy=POLICY, tag=tag)
    assert first[0].limit == POLICY.per_code
    assert {b.key for b in first}.isdisjoint({b.key for b in person(who="usr_1")})


def test_the_try_that_reaches_the_limit_is_still_looked_at() -> None:
    bucket = Bucket("k", 3, 900)
    assert attempts.full([(bucket, 2, 1000)], 500) is None
    assert attempts.full([(bucket, 3, 1000)], 500) == Wait(1000)


def test_a_window_that_is_over_holds_nobody_up_and_the_last_one_to_end_counts() -> None:
    bucket = Bucket("k", 1, 900)
    assert attempts.full([(bucket, 9, 1000)], 1000) is None
    assert attempts.full([(bucket, 9, 1000), (bucket, 9, 1500)], 999) == Wait(1500)


def test_mails_are_counted_for_each_requester_and_for_all_of_them() -> None:
    mine = attempts.of_mail("ada@example.com", "192.0.2.1", trusted_device=None, policy=POLICY, tag=tag)
    other = attempts.of_mail("ada@example.com", "192.0.2.9", trusted_device=None, policy=POLICY, tag=tag)
    assert {b.key for b in mine} & {b.key for b in other} == {"<mail:to:ada@example.com>"}
    trusted = attempts.of_mail("ada@example.com", "192.0.2.1", trusted_device=DEVICE, policy=POLICY, tag=tag)
    assert {b.key for b in trusted}.isdisjoint({b.key for b in mine})
