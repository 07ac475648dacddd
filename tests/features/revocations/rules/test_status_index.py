"""Does a place in a status list tell nothing about a token but whether it holds?"""

from __future__ import annotations

import pytest

from doorward.features.revocations.rules.status_index import SIZE, SPILL, TRIES, WEEK, list_for
from tests.features import made


@pytest.mark.requirement(57)
def test_a_list_is_a_weeks() -> None:
    week = made.NOW // WEEK
    assert list_for(week * WEEK, 0) == list_for(week * WEEK + WEEK - 1, 0) == week
    assert list_for((week + 1) * WEEK, 0) == week + 1


@pytest.mark.requirement(57)
def test_a_full_list_spills_into_another_one_of_its_week() -> None:
    week = list_for(made.NOW, 0)
    assert list_for(made.NOW, TRIES - 1) == week
    assert list_for(made.NOW, TRIES) == week + SPILL
    assert list_for(made.NOW, 2 * TRIES) == week + 2 * SPILL
    # no week of the next ten thousand years has the number of another one's spill
    assert 600_000 * WEEK // WEEK < SPILL


def test_a_list_is_small_enough_to_travel() -> None:
    assert SIZE // 8 == 131_072
