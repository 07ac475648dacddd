"""Several notices in one mail, in every language, with hostile names."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.core.model.message import EmailMessage, NoticePart
from doorward.web.mail.bundle import NoticeBundle
from doorward.web.mail.render import render
from doorward.web.pages import language
from tests.pages.markup import read, skeleton
from tests.pages.test_mail import context, messages


def parts(locale: str, name: str = "Orders") -> tuple[NoticePart, ...]:
    """A part of each kind of notice."""
    found = [render(message, **context(locale)).notice for message in messages(name)]
    return tuple(part for part in found if part is not None)


def bundle(found: tuple[NoticePart, ...], locale: str = "en", number: int | None = None) -> EmailMessage:
    """The mail of these parts."""
    return render(NoticeBundle(parts=found, number=number or len(found)), **context(locale))


@pytest.mark.parametrize("locale", language.LOCALES)
def test_text_and_html_say_the_same_and_load_nothing(locale: str) -> None:
    found = parts(locale)
    for mail in (bundle(found[:3], locale), bundle(found, locale), bundle(found[:1] * 9, locale)):
        body = "".join(e.text() for e in read(mail.html) if e.tag == "body")
        assert [word for word in mail.text.split() if word not in {"--", "*"} and word not in body] == []
        assert "%(" not in mail.subject + mail.text + mail.html
        assert not {e.tag for e in read(mail.html)} & {"img", "script", "link", "iframe", "form"}
        assert "\n" not in mail.subject


@pytest.mark.parametrize(
    "hostile", ["<img src=x onerror=alert(1)>\"'", "a\r\nBcc: all@example.com", "\u202egnp", "%(x)s"]
)
def test_hostile_names_change_neither_headers_nor_elements(hostile: str) -> None:
    strange, plain = bundle(parts("en", hostile)), bundle(parts("en", "harmless"))
    assert skeleton(strange.html) == skeleton(plain.html)
    assert not set(strange.subject) & set("\r\n\u202e")


def test_what_was_not_read_is_counted_as_more() -> None:
    (one, *_) = parts("en")
    assert "Your activity shows all of it." not in bundle((one,) * 3).text
    assert "Your activity shows all of it." in bundle((one,) * 3, number=60).text


def test_the_newest_occurrences_are_told() -> None:
    (one, *_) = parts("en")
    alike = tuple(structs.replace(one, at=one.at + number, seen=(f"time {number}",)) for number in range(5))
    text = bundle(alike).text
    assert [f"time {number}" in text for number in range(5)] == [False, False, True, True, True]
    assert "And 2 more times." in text
