"""Tests of the choice of a page's language, and of texts in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.web.pages import language
from doorward.web.pages.words import Words, calm, device_html, device_name, isolated


@pytest.mark.parametrize(
    ("ui_locales", "cookie", "accept", "default", "expected"),
    [
        (None, None, None, "en", "en"),
        ("fr", "de", "es", "en", "fr"),
        ("xx it fr-CA de", None, None, "en", "fr"),
        (None, "de", "es", "en", "de"),
        ("xx", "yy", "es", "en", "es"),
        (None, None, "it, fr;q=0.5, de;q=0.9", "en", "de"),
        (None, None, "de-AT,de;q=0.9,en;q=0.8", "en", "de"),
        (None, None, "DE_at", "en", "de"),
        (None, None, "de;q=0, fr;q=0.1", "en", "fr"),
        (None, None, "es;q=nan, fr;q=0.1", "en", "fr"),
        (None, None, "es;q=1e9, fr;q=0.1", "en", "fr"),
        (None, None, "fr;q=0.5, es;q=0.5", "en", "fr"),
        (None, None, "*", "ar", "ar"),
        (None, None, None, "xx", "en"),
        (None, None, ",;,=;q=", "de", "de"),
        (None, None, "xx," * 5000 + "fr", "de", "de"),
    ],
)
def test_the_app_s_choice_then_the_cookie_then_the_browser_then_the_default(
    ui_locales: str | None, cookie: str | None, accept: str | None, default: str, expected: str
) -> None:
    assert (
        language.choose(ui_locales=ui_locales, cookie=cookie, accept_language=accept, default=default)
        == expected
    )


@given(st.text(), st.text(), st.text(), st.text())
def test_every_request_gets_a_language(ui: str, cookie: str, accept: str, default: str) -> None:
    chosen = language.choose(ui_locales=ui, cookie=cookie, accept_language=accept, default=default)
    assert chosen in language.LOCALES


def test_arabic_reads_from_the_right() -> None:
    assert {tag: language.direction(tag) for tag in language.LOCALES} == {
        "en": "ltr",
        "de": "ltr",
        "fr": "ltr",
        "es": "ltr",
        "ar": "rtl",
    }


@pytest.mark.parametrize(
    ("seconds", "english", "arabic"),
    [
        (0, "1 second", "ثانية واحدة"),
        (59, "59 seconds", "59 ثانية"),
        (60, "1 minute", "دقيقة واحدة"),
        (61, "2 minutes", "دقيقتين"),
        (300, "5 minutes", "5 دقائق"),
        (3600, "1 hour", "ساعة واحدة"),
        (36000, "10 hours", "10 ساعات"),
        (86400, "24 hours", "24 ساعة"),
        (30 * 86400, "30 days", "30 يومًا"),
        (100 * 86400, "100 days", "100 يوم"),
    ],
)
def test_a_duration_in_words(seconds: int, english: str, arabic: str) -> None:
    assert Words("en").duration(seconds) == english
    assert Words("ar").duration(seconds) == arabic


def test_a_moment_in_words() -> None:
    assert Words("en").moment(1_795_358_000) == "22 November 2026 at 14:33 UTC"
    assert Words("es").date(1_795_358_000) == "22 de noviembre de 2026"


def test_a_language_without_a_catalogue_is_an_error_and_not_english() -> None:
    with pytest.raises(FileNotFoundError):
        Words("tlh").text("Sign in")


def test_values_are_escaped_in_html_and_unchanged_in_text() -> None:
    hostile = "<b>%(app)s"
    assert Words("en").html("to continue to %(app)s", app=hostile) == "to continue to &lt;b&gt;%(app)s"
    assert Words("en").text("to continue to %(app)s", app=hostile) == "to continue to <b>%(app)s"
    assert (
        Words("en").html("to continue to %(app)s", app=isolated("<i>"))
        == "to continue to <bdi>&lt;i&gt;</bdi>"
    )


@given(st.text())
def test_a_sanitised_name_is_one_line_without_control_characters(name: str) -> None:
    calmed = calm(name)
    assert calmed.isprintable() or all(char.isprintable() or ord(char) >= 0x80 for char in calmed)
    assert not set(calmed) & set("\r\n\t\x00\x1b\u202e\u2066\u2028\u2029")
    assert calm(calmed) == calmed


@pytest.mark.parametrize(
    ("locale", "label", "told"),
    [
        ("en", "Chrome on macOS", "Chrome on macOS"),
        ("de", "Chrome on macOS", "Chrome auf macOS"),
        ("ar", "Samsung Internet on Android", "Samsung Internet على Android"),
        ("de", "Firefox", "Firefox"),
        ("de", "a on b on c", "a on b on c"),
        ("de", " on ", " auf "),
    ],
)
def test_a_device_is_described_in_the_language_of_the_page(locale: str, label: str, told: str) -> None:
    assert device_name(Words(locale), label) == told


def test_in_right_to_left_text_each_name_of_a_device_is_isolated() -> None:
    told = device_html(Words("ar"), "Chrome on <b>macOS")
    assert told == "<bdi>Chrome</bdi> على <bdi>&lt;b&gt;macOS</bdi>"
    assert device_html(Words("ar"), "Firefox") == "<bdi>Firefox</bdi>"
