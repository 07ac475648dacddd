"""Comparison of assurance levels."""

from __future__ import annotations

import pytest

from doorward.core.model.levels import AAL1, AAL2, AAL3, LEVELS, PHR, PHRH, at_least, named, wanted
from doorward_verify import demands


@pytest.mark.parametrize(
    ("have", "other", "enough"),
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
    have: str | None, other: str, enough: bool
) -> None:
    assert at_least(have, other) is enough


def test_the_weakest_comes_first_and_each_includes_those_before_it() -> None:
    assert LEVELS == (AAL1, AAL2, PHR, PHRH, AAL3)
    for number, have in enumerate(LEVELS):
        assert [one for one in LEVELS if at_least(have, one)] == list(LEVELS[: number + 1])


def test_the_names_never_change() -> None:
    # apps and APIs store them
    assert LEVELS == ("urn:doorward:aal1", "urn:doorward:aal2", "phr", "phrh", "urn:doorward:aal3")


def test_the_verifier_has_the_same_order() -> None:
    assert demands.LEVELS == LEVELS


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ((), None),
        (("urn:somebody:else",), None),
        (("urn:somebody:else", PHR, AAL2), PHR),
        ((AAL1, AAL3), AAL1),
    ],
)
def test_the_first_known_level_is_wanted(asked: tuple[str, ...], found: str | None) -> None:
    assert wanted(asked) == found


TWO: frozenset[str] = frozenset({AAL1, AAL2})
PASSKEY: frozenset[str] = TWO | {PHR}


@pytest.mark.requirement(38)
@pytest.mark.parametrize(
    ("acr", "levels", "asked", "name"),
    [
        (AAL1, {AAL1}, (), AAL1),
        (AAL1, {AAL1}, (AAL2,), AAL1),
        (AAL2, TWO, (AAL2,), AAL2),
        (AAL2, PASSKEY, (), AAL2),
        (AAL2, PASSKEY, (AAL2,), AAL2),
        (AAL2, PASSKEY, (PHR,), PHR),
        (AAL2, PASSKEY, (PHR, AAL2), PHR),
        (AAL2, PASSKEY, (AAL2, PHR), AAL2),
        (AAL2, PASSKEY, (AAL3, PHRH, PHR), PHR),
        (AAL2, PASSKEY, (AAL3,), AAL2),
        (AAL2, PASSKEY, ("urn:somebody:else",), AAL2),
    ],
)
def test_a_token_names_the_first_asked_level_that_was_reached(
    acr: str, levels: frozenset[str], asked: tuple[str, ...], name: str
) -> None:
    assert named(acr, levels, asked, essential=False) == name


def test_a_wish_for_less_weakens_no_token_and_an_essential_value_is_returned() -> None:
    assert named(AAL2, TWO, (AAL1,), essential=False) == AAL2
    assert named(AAL2, PASSKEY, (AAL1, PHR), essential=False) == AAL2
    # OpenID Connect Core §5.5.1.1: the claim must be one of the essential values
    assert named(AAL2, TWO, (AAL1,), essential=True) == AAL1
