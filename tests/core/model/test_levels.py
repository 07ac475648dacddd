"""Comparison of assurance levels."""

from __future__ import annotations

import pytest

from doorward.core.model.levels import AAL1, AAL2, LEVELS, at_least


@pytest.mark.parametrize(
    ("have", "wanted", "enough"),
    [
        (AAL1, AAL1, True),
        (AAL2, AAL1, True),
        (AAL2, AAL2, True),
        (AAL1, AAL2, False),
        (None, AAL1, False),
        (AAL2, "urn:somebody:else", False),
        ("urn:somebody:else", AAL1, False),
        ("urn:somebody:else", "urn:somebody:else", False),
    ],
)
def test_a_level_is_reached_by_itself_and_by_stronger_ones(
    have: str | None, wanted: str, enough: bool
) -> None:
    assert at_least(have, wanted) is enough


def test_the_weakest_comes_first() -> None:
    assert LEVELS == (AAL1, AAL2)
