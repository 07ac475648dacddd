"""Language and text direction of a page."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

DEFAULT: Final = "en"
LOCALES: Final = MappingProxyType(
    {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "ar": "العربية"}
)
"""Every supported language, by tag, with its own name."""

_RIGHT_TO_LEFT: Final = frozenset({"ar"})
_MOST_TAGS: Final = 32


def direction(locale: str) -> str:
    """`rtl` or `ltr`, for the `dir` attribute."""
    return "rtl" if locale in _RIGHT_TO_LEFT else "ltr"


def choose(
    *,
    ui_locales: str | None = None,
    cookie: str | None = None,
    accept_language: str | None = None,
    default: str = DEFAULT,
) -> str:
    """The page's locale: the app's request (`ui_locales`, OpenID Connect Core §3.1.2.1), then the person's cookie, then the browser
    (RFC 9110 §12.5.4), then `default`.

    Unknown or malformed tags are ignored. A tag falls back to its language ("de-AT" to "de").
    """
    for tag in (ui_locales or "").split()[:_MOST_TAGS]:
        if found := _known(tag):
            return found
    if cookie and (found := _known(cookie)):
        return found
    for tag in _by_weight(accept_language or ""):
        if found := _known(tag):
            return found
    return _known(default) or DEFAULT


def _known(tag: str) -> str | None:
    language = tag.strip().replace("_", "-").partition("-")[0].lower()
    return language if language in LOCALES else None


def _by_weight(header: str) -> list[str]:
    weighted: list[tuple[float, str]] = []
    for item in header.split(",")[:_MOST_TAGS]:
        tag, _, rest = item.partition(";")
        weight = _weight(rest)
        if weight > 0:
            weighted.append((weight, tag))
    # The sort is stable: tags of equal weight keep the browser's order.
    weighted.sort(key=lambda pair: -pair[0])
    return [tag for _, tag in weighted]


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    value = value.strip()
    # float() also accepts "nan", "inf" and "1e9", which are not valid weights.
    if len(value) > 5 or not value.replace(".", "", 1).isdigit() or not value.isascii():
        return 0.0
    return min(float(value), 1.0)
