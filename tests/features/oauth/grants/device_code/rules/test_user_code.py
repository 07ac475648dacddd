"""User codes: what counts as the same code, however it is typed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.features.oauth.grants.device_code.rules import user_code


@pytest.mark.requirement(34)
@pytest.mark.parametrize(
    "typed",
    [
        "WDJB-MJHT",
        "wdjbmjht",
        "wdjb mjht",
        "  Wd Jb–Mj.Ht ",
        "wdjb\u00a0mjht",
        "WDJB\u2011MJHT",
        # full-width letters of an East Asian keyboard
        "\uff37\uff24\uff2a\uff22\uff2d\uff2a\uff28\uff34",
    ],
)
def test_any_case_hyphen_and_space_is_the_same_code(typed: str) -> None:
    assert user_code.read(typed) == "WDJBMJHT"


@pytest.mark.parametrize(
    "typed", ["", "WDJB", "WDJB-MJHTT", "WDJB-MJH1", "AEIO-UAEI", "W" * 9, " " * 60 + "WDJBMJHT", "<b>WDJBMJ"]
)
def test_anything_else_is_no_code(typed: str) -> None:
    assert user_code.read(typed) is None


@given(st.integers(), st.text(max_size=80))
def test_what_is_shown_is_read_and_nothing_raises(seed: int, anything: str) -> None:
    code = user_code.draw(random.Random(seed).randrange)
    assert len(user_code.shown(code)) == 9
    assert user_code.read(user_code.shown(code).lower()) == code
    found = user_code.read(anything)
    assert found is None or user_code.read(found) == found


@pytest.mark.requirement(34)
def test_a_code_has_no_vowels_and_no_digits_and_34_bits() -> None:
    assert not set(user_code.ALPHABET) & set("AEIOU0123456789Y")
    assert len(set(user_code.ALPHABET)) ** user_code.LENGTH > 2**34
