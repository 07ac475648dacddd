"""Normalisation of typed login names, to find the account (RFC 5321 §4.1.2, §4.5.3.1; RFC 6531 §3.3)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from doorward.core import text as kinds

MAX_EMAIL: Final = 254
MAX_LOCAL: Final = 64
MAX_NAME: Final = 120
MAX_ZONE: Final = 64
_MAX_TYPED_NAME: Final = 2000
_MAX_TYPED_EMAIL: Final = 4 * MAX_EMAIL
"""Code points: NFC joins at most four into one. Longer input is not processed: NFC takes a second for a request full of
accents."""

_LOCAL: Final = re.compile(r"[^\s\"(),:;<>@\[\]\\.]+(?:\.[^\s\"(),:;<>@\[\]\\.]+)*")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")


def normalise_email(text: str) -> str | None:
    """The one spelling under which an address is looked up, stored and sent mail; None when it is not a mail address.

    Lower case throughout, NFC, the domain in ASCII. Mail goes to this spelling and never to the typed one, so that two
    spellings that normalise to one account cannot send its code to another person.
    """
    if len(text) > _MAX_TYPED_EMAIL:
        return None
    text = unicodedata.normalize("NFC", kinds.trimmed(text))
    if "@" not in text:
        # some keyboards produce it
        text = text.replace("\uff20", "@")
    local, at, domain = text.rpartition("@")
    if not at or len(text) > MAX_EMAIL:
        return None
    ascii_domain = _domain(domain)
    # Lower case may decompose (a capital I with dot becomes two code points), hence NFC again.
    local = unicodedata.normalize("NFC", local.lower())
    if (
        ascii_domain is None
        or len(local.encode("utf-8", "replace")) > MAX_LOCAL
        or not _LOCAL.fullmatch(local)
    ):
        return None
    if not _printable(local) or len(local) + 1 + len(ascii_domain) > MAX_EMAIL:
        return None
    return f"{local}@{ascii_domain}"


def new_email(text: str) -> str | None:
    """The same for a new registration: no character may be a compatibility form of a plainer one (RFC 8265 §3.3), so
    that nobody registers an address that looks like another. Existing addresses of this kind continue to work."""
    email = normalise_email(text)
    return email if email is not None and kinds.compatible(email) else None


def normalise_domain(text: str) -> str | None:
    """The domain of mail addresses in the spelling that `normalise_email` gives it: ASCII, lower case. None when it is none."""
    if len(text) > _MAX_TYPED_EMAIL:
        return None
    return _domain(unicodedata.normalize("NFC", kinds.trimmed(text)))


def looked_up_as(text: str) -> str:
    """A typed identifier as a bounded text that any of our keys can be made of: the address if it is one, else a text
    that no account has, so that unknown and known identifiers are processed alike (R80)."""
    email = normalise_email(text)
    if email is not None:
        return email
    return (
        kinds.trimmed(text[:_MAX_TYPED_EMAIL]).lower()[:MAX_EMAIL].encode("utf-8", "replace").decode("utf-8")
    )


def normalise_name(text: str) -> str | None:
    """A display name, normalised by `text.name`. "" means none; None when it is too long."""
    if len(text) > _MAX_TYPED_NAME:
        return None
    name = kinds.name(text)
    return name if len(name) <= MAX_NAME else None


def normalise_zone(text: str) -> str | None:
    """The name of a time zone in the form of the IANA database (`Europe/Berlin`, `UTC`). "" means none; None when it is
    invalid."""
    zone = kinds.trimmed(text)
    return zone if not zone or (len(zone) <= MAX_ZONE and _ZONE.fullmatch(zone)) else None


def _domain(domain: str) -> str | None:
    if not domain.isascii():
        # Imported only here: its tables are large and most addresses never need them.
        import idna

        try:
            domain = idna.encode(domain, uts46=True, transitional=False).decode("ascii")
        except (UnicodeError, ValueError):
            return None
    domain = domain.lower()
    labels = domain.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    # People do not receive mail at an address literal or a bare number.
    return None if labels[-1].isdigit() else domain


def _printable(text: str) -> bool:
    return all(_visible(char) for char in text)


def _visible(char: str) -> bool:
    # Cc control, Cf direction marks and joiners, Cs lone surrogates, Co private use, Zl/Zp line separators.
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
