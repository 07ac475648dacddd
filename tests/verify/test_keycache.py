"""Key cache as a state machine: which fetches it requests and when. No network, no clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward_verify.keycache import (
    KEEP_FOR,
    LAST_RETRY,
    REFRESH_EVERY,
    UNKNOWN_KID_EVERY,
    KeyCache,
    arrived,
    failed,
    started,
    wants,
)
from doorward_verify.keyset import key_set
from tests.verify.tokens import ISSUER, KEYS, NOW, P256

FETCHED = arrived(started(KeyCache(ISSUER), NOW), KEYS, NOW)


def test_a_new_cache_has_no_keys_and_requests_them() -> None:
    assert wants(KeyCache(ISSUER), NOW)
    assert KeyCache(ISSUER).usable(NOW) is None


@pytest.mark.requirement(50)
def test_one_fetch_at_a_time() -> None:
    flying = started(KeyCache(ISSUER), NOW)
    assert not wants(flying, NOW)
    assert not wants(flying, NOW + 10_000, unknown_kid=True)


@pytest.mark.requirement(50)
def test_good_keys_are_refreshed_in_time_and_not_before() -> None:
    assert not wants(FETCHED, NOW)
    assert not wants(FETCHED, NOW + REFRESH_EVERY - 1)
    assert wants(FETCHED, NOW + REFRESH_EVERY)


@pytest.mark.requirement(50)
def test_an_unknown_kid_causes_one_fetch_in_thirty_seconds() -> None:
    assert wants(FETCHED, NOW + 1, unknown_kid=True)
    after = arrived(started(FETCHED, NOW + 1, unknown_kid=True), KEYS, NOW + 1)
    assert not wants(after, NOW + UNKNOWN_KID_EVERY, unknown_kid=True)
    assert wants(after, NOW + 1 + UNKNOWN_KID_EVERY, unknown_kid=True)


@pytest.mark.requirement(50)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=60))
def test_no_sequence_of_tokens_causes_frequent_fetches(gaps: list[int]) -> None:
    cache, now, asked = FETCHED, NOW, [NOW]
    for gap in gaps:
        now += gap
        if wants(cache, now, unknown_kid=True):
            cache = arrived(started(cache, now, unknown_kid=True), KEYS, now)
            asked.append(now)
    # at most one per 30 s for unknown key ids, and one more by age
    for first, third in zip(asked, asked[2:], strict=False):
        assert third - first >= UNKNOWN_KID_EVERY


@pytest.mark.requirement(50)
def test_the_last_good_keys_serve_for_a_day_of_outage_and_no_longer() -> None:
    cache = FETCHED
    for minute in range(60):
        cache = failed(started(cache, NOW + REFRESH_EVERY + minute * 60))
    assert cache.usable(NOW + KEEP_FOR - 1) is KEYS
    assert cache.usable(NOW + KEEP_FOR) is None


@pytest.mark.requirement(50)
def test_failures_are_retried_with_growing_pauses() -> None:
    cache, now, pauses = KeyCache(ISSUER), NOW, list[int]()
    for _ in range(10):
        cache = failed(started(cache, now))
        pause = next(seconds for seconds in range(1000) if wants(cache, now + seconds))
        assert not wants(cache, now + pause - 1, unknown_kid=True)
        pauses.append(pause)
        now += pause
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1, LAST_RETRY)


@pytest.mark.requirement(45)
def test_keys_of_another_issuer_are_refused() -> None:
    with pytest.raises(ValueError, match="issuer"):
        arrived(started(KeyCache(ISSUER), NOW), key_set("https://other.example", [P256.public()]), NOW)


def test_equal_keys_keep_their_object_so_that_cached_results_stay_valid() -> None:
    again = arrived(started(FETCHED, NOW + 400), key_set(ISSUER, [*KEYS.keys]), NOW + 400)
    assert again.keys is KEYS
    fewer = arrived(started(FETCHED, NOW + 400), key_set(ISSUER, KEYS.keys[1:]), NOW + 400)
    assert fewer.keys is not KEYS


def test_a_clock_that_was_set_back_does_not_stop_it() -> None:
    assert wants(FETCHED, NOW - 5000)
