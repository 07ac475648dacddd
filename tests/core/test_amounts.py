"""Amounts and times in human-readable form."""

from __future__ import annotations

import pytest

from doorward.core.amounts import moment, size


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (5550, "5.5 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (12_345_678, "12.3 MB"),
        (74_700_000_000, "74.7 GB"),
        (2_500_000_000_000_000, "2,500.0 TB"),
    ],
)
def test_a_size_is_shown_in_the_largest_unit_that_fits(octets: int, said: str) -> None:
    assert size(octets) == said


def test_a_time_is_shown_in_utc_and_none_as_nothing() -> None:
    assert moment(1_800_000_000) == "2027-01-15 08:00 UTC"
    assert moment(None) == ""
