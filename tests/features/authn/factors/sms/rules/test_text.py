"""Text of a message: one message's length, and a last line that browsers read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.features.authn.factors.sms.rules.text import code_message, fits


def english(brand: str) -> str:
    return f"123456 is your code for {brand}."


def arabic(brand: str) -> str:
    return f"123456 هو رمزك لدى {brand}."


def test_the_text_ends_with_the_bound_code() -> None:
    made = code_message(english, brand="Corner Shop", host="id.example", code="123456")
    assert made == "123456 is your code for Corner Shop.\n\n@id.example #123456"
    assert fits(made)


def test_typography_does_not_make_a_message_longer() -> None:
    made = code_message(english, brand="Ada’s — Shop\u00a0“X”", host="id.example", code="123456")
    assert made.startswith('123456 is your code for Ada\'s - Shop "X".\n')


def test_a_long_brand_is_shortened() -> None:
    made = code_message(english, brand="Corner Shop " * 20, host="id.example", code="123456")
    assert fits(made)
    assert made.startswith("123456 is your code for Corner Shop Corner")
    assert "..." in made
    short = code_message(arabic, brand="Corner Shop " * 20, host="id.example", code="123456")
    assert fits(short)
    assert short.startswith("123456 هو رمزك لدى Corner")


def test_a_long_host_is_never_cut() -> None:
    host = f"{'a' * 60}.{'b' * 60}.{'c' * 60}.example"
    made = code_message(english, brand="Shop", host=host, code="123456")
    assert made == f"123456 is your code for {host}.\n\n@{host} #123456"


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("a" * 160, True),
        ("a" * 161, False),
        ("€" * 80, True),
        ("€" * 80 + "a", False),
        ("ç" + "a" * 69, True),
        ("ç" + "a" * 70, False),
        ("é" * 160, True),
        ("\U0001f600" * 35, True),
        ("\U0001f600" * 36, False),
    ],
)
def test_the_length_of_one_message(text: str, held: bool) -> None:
    assert fits(text) is held


@given(st.text(min_size=1, max_size=200))
def test_no_brand_adds_a_line_or_moves_the_code(brand: str) -> None:
    made = code_message(english, brand=brand, host="id.example", code="123456")
    first, empty, last = made.split("\n")
    assert first.startswith("123456 is your code for ")
    assert empty == ""
    assert last == "@id.example #123456"
    assert len(made.splitlines()) == 3
