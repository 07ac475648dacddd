"""Recovery codes: which are accepted, and what is stored of them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.model.account import EnrolledFactor
from doorward.features.authn.factors.recovery_codes import rules as rule

numbers = st.lists(st.integers(0, 31), min_size=rule.LENGTH, max_size=rule.LENGTH)


def factor(code: str, used_at: int | None = None, name: str = "fac_1") -> EnrolledFactor:
    return EnrolledFactor(name, "usr_1", "recovery_code", 1, code_hash=rule.digest(code), used_at=used_at)


@pytest.mark.requirement(84)
def test_a_code_has_far_more_than_sixty_four_bits() -> None:
    assert len(set(rule.ALPHABET)) == 32
    assert rule.LENGTH * math.log2(len(rule.ALPHABET)) >= 112


@pytest.mark.requirement(84)
def test_a_used_code_is_refused() -> None:
    code = rule.spell([7] * rule.LENGTH)
    assert rule.match([factor(code)], code) is not None
    assert rule.match([factor(code, used_at=5)], code) is None


@given(numbers)
def test_a_code_is_found_however_it_is_typed(drawn: list[int]) -> None:
    code = rule.spell(drawn)
    other = factor(rule.spell([(n + 1) % 32 for n in drawn]), name="fac_2")
    for typed in (
        code,
        code.lower(),
        code.replace("-", ""),
        code.replace("-", " "),
        code.replace("0", "O").replace("1", "l"),
    ):
        found = rule.match([other, factor(code)], typed)
        assert found is not None
        assert found.id == "fac_1"


@given(st.text(max_size=60))
def test_any_other_text_is_refused(typed: str) -> None:
    assert rule.match([factor(rule.spell([31] * rule.LENGTH))], typed) is None


def test_a_code_needs_exactly_the_right_number_of_random_values() -> None:
    with pytest.raises(ValueError, match="24 numbers"):
        rule.spell([1, 2, 3])


def test_a_code_is_formatted_in_groups_and_unused_codes_are_counted() -> None:
    code = rule.spell(list(range(24)))
    assert code == "0123-4567-89AB-CDEF-GHJK-MNPQ"
    totp = EnrolledFactor("fac_3", "usr_1", "totp", 1)
    assert rule.left([factor(code), factor(code, used_at=3), totp]) == 1
