"""Limits below a directory's own lock-out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.features.authn.directories.rules.lockout import lockout_bucket, tries


@given(
    st.integers(3, 60),
    st.lists(st.integers(0, 1500), max_size=200),
    st.booleans(),
)
def test_wrong_passwords_at_any_times_never_reach_the_threshold(
    threshold: int, pauses: list[int], known: bool
) -> None:
    """The directory forgets wrong passwords `window` seconds after the last one, as Active Directory and OpenLDAP do."""
    window, now = 600, 0
    bucket = lockout_bucket("corp", "x", threshold=threshold, window=window, known=known, tag=str)
    assert bucket is not None
    tried, ends = 0, 0
    counted, last = 0, -window
    for pause in pauses:
        now += pause
        if now >= ends:
            tried, ends = 0, now + bucket.window
        if tried >= bucket.limit:
            continue
        tried += 1
        counted = 1 if now - last >= window else counted + 1
        last = now
        assert counted < threshold


@given(st.integers(3, 1000))
def test_strangers_and_the_owner_together_stay_below_it(threshold: int) -> None:
    known, others = tries(threshold)
    assert known >= 1
    assert others >= 1
    assert (2 * known - 1) + (2 * others - 1) < threshold


def test_spellings_share_a_counter_and_devices_do_not() -> None:
    def made(who: str, *, known: bool = False, threshold: int = 10) -> str | None:
        bucket = lockout_bucket("corp", who, threshold=threshold, window=600, known=known, tag=str)
        return bucket.key if bucket is not None else None

    assert made("uid-1") == made("uid-1")
    assert len({made("uid-1"), made("uid-2"), made("uid-1", known=True)}) == 3
    assert made("uid-1", threshold=0) is None


@pytest.mark.parametrize(("threshold", "allowed"), [(3, (1, 1)), (5, (1, 2)), (10, (2, 3)), (50, (10, 15))])
def test_the_guide_names_these_numbers(threshold: int, allowed: tuple[int, int]) -> None:
    assert tries(threshold) == allowed
