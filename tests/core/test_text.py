"""Normal forms of typed text, independent of person and keyboard."""

from __future__ import annotations

import unicodedata
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core import text

ZWNJ, ZWJ = "\u200c", "\u200d"


@pytest.mark.parametrize(
    "typed",
    [
        "203794",
        "٢٠٣٧٩٤",  # Arabic-Indic
        "۲۰۳۷۹۴",  # Persian
        "२०३७९४",  # Devanagari
        "２０３７９４",  # full width
        "𝟐𝟎𝟑𝟕𝟗𝟒",
        "\u200e203794\u200f",
        "\u2066203\u00a0794\u2069",
        "\ufeff203-794",
        "203\u2011794",
        " 203 794\n",
        "2\u200b0\u00ad3\u2060794",
    ],
)
def test_a_code_is_its_digits(typed: str) -> None:
    assert text.code(typed) == "203794"


@pytest.mark.parametrize("typed", ["20379²", "20379½", "20379④", "20379O", "20379٫"])
def test_other_characters_do_not_become_digits(typed: str) -> None:
    assert text.code(typed) != "203792"
    assert not text.code(typed).isdigit() or not text.code(typed).isascii() or len(text.code(typed)) != 6


def test_letters_of_a_recovery_code_may_be_full_width() -> None:
    assert text.code("７Ｋ２Ｍ-abcd") == "7K2Mabcd"


def test_text_that_is_too_long_is_not_a_code() -> None:
    assert text.code("1" * 129) == ""
    assert text.code("123456" + " " * 200) == ""


@pytest.mark.parametrize(
    "called",
    [
        f"علی{ZWNJ}رضا",
        f"شرکت نمونه{ZWNJ}ای",
        "ශ්\u200dරී ලංකා",
        f"क्{ZWNJ}ष",
        f"👨{ZWJ}👩{ZWJ}👧{ZWJ}👦",
        f"👩🏽{ZWJ}🚀 Ada",
        f"❤\ufe0f{ZWJ}🔥",
        f"🏳\ufe0f{ZWJ}🌈",
        f"🙂{ZWJ}↔\ufe0f",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "שלום",
        "O'Hara-Müller, Jr.",
    ],
)
def test_a_name_that_needs_its_joiners_stays_whole(called: str) -> None:
    assert text.name(called) == unicodedata.normalize("NFC", called)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (f"Ada{ZWJ} Lovelace", "Ada Lovelace"),
        (f"A{ZWNJ}da", "Ada"),
        (f"👨{ZWJ}", "👨"),
        ("Ada\u200e\u202e\u2066", "Ada"),
        ("Ada\u00adLove\u200blace\ufeff", "AdaLovelace"),
        ("\u3000Ada\u00a0\tLovelace\u2028", "Ada Lovelace"),
        ("Jose\u0301", "José"),
        ("\u3164", ""),
        ("\u2800 \u115f\u034f", ""),
        ("x\U000e0067\U000e007f", "x"),
        ("\ud800a", "a"),
        ("", ""),
    ],
)
def test_invisible_characters_are_removed(typed: str, shown: str) -> None:
    assert text.name(typed) == shown


@given(st.text(max_size=80))
def test_normalising_a_name_twice_changes_nothing(typed: str) -> None:
    once = text.name(typed)
    assert text.name(once) == once
    assert text.one_line(once)
    assert text.same_as(once) == text.same_as(typed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("José", "Jose\u0301"),
        ("Billing", "BILLING"),
        ("Straße", "strasse"),
        ("Ｂｉｌｌｉｎｇ", "billing"),
        ("ﬁnance", "finance"),
        ("my  app", "my app"),
        ("bil\u200bling", "billing"),
        ("Å", "\u212b"),
        (f"علی{ZWNJ}رضا", "علیرضا"),
    ],
)
def test_names_that_look_the_same_compare_equal(one: str, other: str) -> None:
    assert text.same_as(one) == text.same_as(other)


def test_names_with_different_letters_differ() -> None:
    assert text.same_as("admin") != text.same_as("admín")
    assert text.same_as("admin1") != text.same_as("admin2")


@pytest.mark.parametrize(
    "around", ["\u200e", "\ufeff", "\u202a", "\u2066", "\u00a0", "\u200b", " \t\n", "\u3164", "\u2069\u200f"]
)
def test_surrounding_spaces_and_invisible_characters_are_trimmed(around: str) -> None:
    assert text.trimmed(f"{around}a b{around}") == "a b"


@given(st.text(max_size=60))
def test_trimming_is_idempotent_and_only_shortens(typed: str) -> None:
    assert text.trimmed(text.trimmed(typed)) == text.trimmed(typed)
    assert text.trimmed(typed) in typed


@pytest.mark.parametrize(
    ("typed", "tag"),
    [("de", "de"), ("DE_ch", "de-CH"), (" pt-br ", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("sl-rozaj", "sl-rozaj"), ("es-419", "es-419")],
)  # fmt: skip
def test_a_language_has_one_spelling(typed: str, tag: str) -> None:
    assert text.locale(typed) == tag
    assert text.locale(tag) == tag


@pytest.mark.parametrize(
    "typed", ["!!", "", "d", "deutsch", "de-", "de--CH", "de CH", "../etc", "de-" + "x" * 9, "d\u00e9"]
)
def test_an_invalid_language_tag_gives_none(typed: str) -> None:
    assert text.locale(typed) is None


def test_compatibility_forms_are_detected() -> None:
    assert text.compatible("müller")
    assert not text.compatible("ａｄａ")
    assert not text.compatible("ﬁn")


def test_a_name_is_searched_for_flags_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/incidents/0036-a-second-for-a-request-full-of-accents.md"""
    looks: list[str] = []
    pattern = text._TAGGED_FLAG

    def finditer(typed: str) -> object:
        looks.append(typed)
        return pattern.finditer(typed)

    monkeypatch.setattr(text, "_TAGGED_FLAG", SimpleNamespace(finditer=finditer))
    scotland = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
    assert text.name(scotland * 200 + "\U000e0067" * 50) == scotland * 200
    assert len(looks) == 1
