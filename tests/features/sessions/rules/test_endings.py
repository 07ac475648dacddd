"""Tests of the table of endings: one cell for each action and kind, and a reason for what is kept."""

from __future__ import annotations

from typing import get_args

import pytest

from doorward.features.sessions.rules.endings import ENDINGS, AccessEnd, Kind, of


@pytest.mark.parametrize("row", ENDINGS, ids=lambda row: f"{row.subject} {' '.join(row.reasons)}")
def test_an_action_has_one_cell_for_each_kind_and_a_reason_for_what_it_keeps(
    row: AccessEnd,
) -> None:
    kinds = [*row.ends, *row.itself, *row.kept]
    assert sorted(kinds) == sorted(get_args(Kind)), row.action
    assert all(len(why.split()) > 3 for why in row.kept.values())
    assert row.ends


def test_an_action_without_a_row_is_refused() -> None:
    assert of("person", "reported_by_owner").subject == "person"
    with pytest.raises(LookupError, match="no row"):
        of("person", "restored")
