"""Tests that the catalogues are complete, up to date, and harmless."""

from __future__ import annotations

import gettext
import re
from io import BytesIO

import pytest

from tests.pages import catalogues

PLACE = re.compile(r"%\(\w+\)s")


def _forms(value: str | tuple[str, ...] | list[str] | None) -> list[str]:
    assert value is not None
    return [value] if isinstance(value, str) else list(value)


@pytest.mark.parametrize("locale", catalogues.TRANSLATED)
def test_the_catalogue_has_exactly_the_messages_of_the_sources(locale: str) -> None:
    sources = {_forms(m.id)[0] for m in catalogues.collected() if m.id}
    known = {_forms(m.id)[0] for m in catalogues.read(locale) if m.id}
    assert len(sources) > 250, "the collector finds the messages"
    assert sources - known == set(), "run python -m tests.pages.catalogues and translate these"
    assert known - sources == set(), "run python -m tests.pages.catalogues"


@pytest.mark.parametrize("locale", catalogues.TRANSLATED)
def test_every_message_is_translated_in_every_plural_form(locale: str) -> None:
    config = catalogues.read(locale)
    for message in config:
        if not message.id:
            continue
        strings = _forms(message.string)
        assert not message.fuzzy, message.id
        assert all(text.strip() for text in strings), message.id
        assert len(strings) == (config.num_plurals if message.pluralizable else 1), message.id


@pytest.mark.parametrize("locale", catalogues.TRANSLATED)
def test_translations_have_the_same_placeholders_and_no_markup(locale: str) -> None:
    for message in catalogues.read(locale):
        if not message.id:
            continue
        wanted = set(PLACE.findall(_forms(message.id)[-1]))
        for text in _forms(message.string):
            found = set(PLACE.findall(text))
            # "one" and "two" may be written as words in a plural form.
            assert found == wanted or (message.pluralizable and found == wanted - {"%(number)s"}), message.id
            assert text.count("%") == len(PLACE.findall(text)), message.id
            # A translation is trusted as HTML, so it must not contain any.
            assert not set(text) & set("<>&\u202e\u202d"), message.id


def test_no_message_of_the_sources_holds_markup() -> None:
    for message in catalogues.collected():
        for text in _forms(message.id):
            assert not set(text) & set("<>&"), text


def test_no_sentence_is_the_same_in_two_languages() -> None:
    """One that is was copied from another language's catalogue."""
    texts: dict[str, str] = {}
    for locale in catalogues.TRANSLATED:
        for message in catalogues.read(locale):
            for text in _forms(message.string) if message.id else ():
                if len(PLACE.sub("", text).split()) > 3:
                    assert texts.setdefault(text, locale) == locale, (text, locale)
                    assert text not in _forms(message.id), (text, locale)


@pytest.mark.parametrize("locale", catalogues.TRANSLATED)
def test_the_compiled_catalogue_is_up_to_date(locale: str) -> None:
    config = catalogues.read(locale)
    stored = catalogues.path_of(locale, "mo").read_bytes()
    assert stored == catalogues.compiled(config), "run python -m tests.pages.catalogues"
    assert catalogues.path_of(locale, "po").read_bytes() == catalogues.written(config)
    translations = gettext.GNUTranslations(BytesIO(stored))
    for message in config:
        if message.id and not message.pluralizable:
            assert translations.gettext(_forms(message.id)[0]) == message.string
