"""Words of a page in its language: translated text with inserted values, safe for HTML or as plain text."""

from __future__ import annotations

import gettext
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from markupsafe import Markup, escape
from msgspec import Struct

_FOLDER: Final = Path(__file__).parent / "locale"
_DOMAIN: Final = "doorward"

# Overrides and embeddings affect the surrounding text; <bdi> replaces isolates.
_BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def calm(value: str) -> str:
    """A name without control and bidi characters, on one line, so that it cannot affect the surrounding text."""
    kept = (" " if char in "\t\r\n\u2028\u2029" else char for char in value)
    return "".join(
        char for char in kept if char not in _BIDI_CONTROLS and unicodedata.category(char) not in {"Cc", "Cs"}
    )


def isolated(value: str) -> Markup:
    """A name of unknown script and direction, for HTML: escaped and inside <bdi>."""
    return Markup("<bdi>{}</bdi>").format(calm(value))


def N_(message: str) -> str:  # noqa: N802 - the name that catalogue tools look for
    """Mark a message that is translated later, where it is shown."""
    return message


@cache
def _catalogue(locale: str) -> gettext.NullTranslations:
    # English is the language of the sources and has no catalogue.
    return gettext.translation(_DOMAIN, _FOLDER, [locale], fallback=locale == "en")


class Words(Struct, frozen=True):
    """The words of one language. Raises FileNotFoundError for a language that has no catalogue."""

    locale: str

    def text(self, message: str, /, **values: object) -> str:
        """Plain text for mail and titles. `values` replace %(name)s unchanged."""
        return _put(_catalogue(self.locale).gettext(message), values)

    def counted(self, one: str, many: str, number: int, /, **values: object) -> str:
        """Plain text in the language's plural form for `number`, which is also %(number)s."""
        return _put(_catalogue(self.locale).ngettext(one, many, number), {"number": number, **values})

    def html(self, message: str, /, **values: object) -> Markup:
        """HTML: the message is ours and trusted, `values` are escaped unless they are Markup."""
        return Markup(_put(_catalogue(self.locale).gettext(message), _escaped(values)))  # noqa: S704 - values are escaped

    def counted_html(self, one: str, many: str, number: int, /, **values: object) -> Markup:
        """As `counted`, for HTML."""
        found = _catalogue(self.locale).ngettext(one, many, number)
        return Markup(_put(found, _escaped({"number": number, **values})))  # noqa: S704 - values are escaped

    def duration(self, seconds: int) -> str:
        """A duration in its largest whole unit, rounded up: "10 minutes", "30 days"."""
        if seconds < 60:
            return self.counted("%(number)s second", "%(number)s seconds", max(seconds, 1))
        if seconds < 3600:
            return self.counted("%(number)s minute", "%(number)s minutes", -(-seconds // 60))
        if seconds < 2 * 86400:
            return self.counted("%(number)s hour", "%(number)s hours", -(-seconds // 3600))
        return self.counted("%(number)s day", "%(number)s days", -(-seconds // 86400))

    def date(self, at: int) -> str:
        """A date in UTC, written out: "22 November 2026"."""
        when = datetime.fromtimestamp(at, UTC)
        return self.text(
            N_("%(day)s %(month)s %(year)s"),
            day=when.day,
            month=self.text(_MONTHS[when.month - 1]),
            year=when.year,
        )

    def clock(self, at: int) -> str:
        """A time of day in UTC: "14:32 UTC"."""
        return f"{datetime.fromtimestamp(at, UTC):%H:%M} UTC"

    def moment(self, at: int) -> str:
        """Date and time of day in UTC."""
        return self.text(N_("%(date)s at %(clock)s"), date=self.date(at), clock=self.clock(at))


def device_name(words: Words, label: str) -> str:
    """ "Chrome on macOS" in a language: the two names stay, the word between them is translated. A label of another form is returned
    unchanged."""
    browser, joined, system = label.partition(" on ")
    if not joined or " on " in system:
        return label
    return words.text(N_("%(browser)s on %(system)s"), browser=browser, system=system)


def device_html(words: Words, label: str) -> Markup:
    """The same for HTML. Each name is isolated by itself: together they would be ordered by the first one's script, which in
    right-to-left text swaps browser and system."""
    browser, joined, system = label.partition(" on ")
    if not joined or " on " in system:
        return isolated(label)
    return words.html(N_("%(browser)s on %(system)s"), browser=isolated(browser), system=isolated(system))


def _escaped(values: Mapping[str, object]) -> dict[str, object]:
    return {name: escape(value) for name, value in values.items()}


def _put(message: str, values: Mapping[str, object]) -> str:
    return message % values if values else message


_MONTHS: Final = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)
