"""Normalisation of typed login names."""

from __future__ import annotations

import unicodedata
from types import SimpleNamespace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core import login_name as account
from doorward.core.login_name import looked_up_as, new_email, normalise_email, normalise_name, normalise_zone


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada@Example.COM ", "ada@example.com"),
        ("o'hara+news@mail.example.co.uk", "o'hara+news@mail.example.co.uk"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@faß.example", "ada@xn--fa-hia.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("\u200eada@example.com\u200f", "ada@example.com"),
        ("\ufeffada@example.com\u200b\u00a0", "ada@example.com"),
        ("\u202aada@example.com\u202c", "ada@example.com"),
        ("ada＠example.com", "ada@example.com"),
    ],
)
def test_one_spelling_for_each_address(typed: str, found: str) -> None:
    assert normalise_email(typed) == found
    assert normalise_email(found) == found


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@example..com",
        "ada@-example.com",
        "ada@example.com.",
        "ada@192.0.2.1",
        "ada@[192.0.2.1]",
        "a@b@example.com",
        "ada lovelace@example.com",
        "ada@example.com, eve@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        '"ada"@example.com',
        ".ada@example.com",
        "ada..l@example.com",
        "a" * 65 + "@example.com",
        "ada@" + "a" * 64 + ".com",
        "ada\u202e@example.com",
        "ada\u200b@example.com",
        "ada\x00@example.com",
        "\ud800@example.com",
        "ada@\ud800.com",
    ],
)
def test_an_invalid_address_gives_none(typed: str) -> None:
    assert normalise_email(typed) is None


def test_addresses_with_similar_letters_stay_two_accounts() -> None:
    assert normalise_email("ﬁn@example.com") != normalise_email("fin@example.com")
    # existing accounts with such an address can sign in; new ones are refused
    assert new_email("ﬁn@example.com") is None
    assert new_email("ａｄａ@example.com") is None
    assert new_email("müller@example.com") == "müller@example.com"
    assert normalise_email("аda@example.com") != normalise_email("ada@example.com")


@given(st.text(max_size=300))
def test_any_text_is_looked_up_as_a_bounded_valid_key(typed: str) -> None:
    who = looked_up_as(typed)
    assert len(who) <= 254
    assert who.encode().decode() == who
    found = normalise_email(typed)
    assert found is None or (found == who and normalise_email(found) == found)


@given(st.text(max_size=200))
def test_a_name_is_a_line_of_text(typed: str) -> None:
    name = normalise_name(typed)
    assert name is None or (len(name) <= 120 and name == name.strip() and "\n" not in name)


def test_a_name_keeps_its_letters_and_loses_invisible_characters() -> None:
    assert normalise_name("  Ada \u202e  Lovelace\n") == "Ada Lovelace"
    assert normalise_name("علي") == "علي"
    assert normalise_name("") == ""
    assert normalise_name("علی\u200cرضا") == "علی\u200cرضا"
    assert normalise_name("x" * 121) is None
    assert normalise_name("\U000e0067" * 3000) is None


def test_a_time_zone_looks_like_one() -> None:
    for zone in ("Europe/Berlin", "UTC", "Etc/GMT+5", "America/Argentina/Ushuaia", ""):
        assert normalise_zone(f" {zone} ") == zone
    for wrong in (
        "Europe/",
        "../etc/passwd",
        "Europe/../x",
        "/etc",
        "a b",
        "Europe\\Berlin",
        "x" * 65,
        "a/b/c/d",
    ):
        assert normalise_zone(wrong) is None


def test_text_too_long_for_an_address_is_not_processed(monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/incidents/0036-a-second-for-a-request-full-of-accents.md"""
    seen: list[int] = []

    def normalize(form: Literal["NFC"], text: str) -> str:
        seen.append(len(text))
        return unicodedata.normalize(form, text)

    monkeypatch.setattr(
        account, "unicodedata", SimpleNamespace(normalize=normalize, category=unicodedata.category)
    )
    typed = "a" + "\u0323\u0307" * 15_000 + "@example.com"
    assert normalise_email(typed) is None
    assert len(looked_up_as(typed)) <= 254
    assert max(seen, default=0) <= 4 * 254


def test_an_address_of_the_maximum_length_may_be_typed_decomposed() -> None:
    assert normalise_email("\u03b1\u0313\u0300\u0345" * 21 + "@example.com") == "\u1f82" * 21 + "@example.com"
