"""Status list indexes: they reveal nothing about a token except whether it is valid."""

from __future__ import annotations

import pytest

from doorward.features.revocations.rules.status_index import SIZE, SPILL, TRIES, WEEK, list_for
from tests.features import made


@pytest.mark.requirement(57)
def test_a_list_covers_a_week() -> None:
    week = made.NOW // WEEK
    assert list_for(week * WEEK, 0) == list_for(week * WEEK + WEEK - 1, 0) == week
    assert list_for((week + 1) * WEEK, 0) == week + 1


@pytest.mark.requirement(57)
def test_a_full_list_overflows_into_another_of_its_week() -> None:
    week = list_for(made.NOW, 0)
    assert list_for(made.NOW, TRIES - 1) == week
    assert list_for(made.NOW, TRIES) == week + SPILL
    assert list_for(made.NOW, 2 * TRIES) == week + 2 * SPILL
    # in the next ten thousand years no week's number equals another week's overflow number
    assert 600_000 * WEEK // WEEK < SPILL


def test_a_list_is_small_enough_to_send() -> None:
    assert SIZE // 8 == 131_072
