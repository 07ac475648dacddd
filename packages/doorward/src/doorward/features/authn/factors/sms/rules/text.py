"""Text of a message with a code: one sentence, and the line that binds the code to this site.

The last line is `@host #code` ("Origin-bound one-time codes delivered via SMS"): browsers offer the code only on pages
of that host.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Final

_SEPTETS: Final = 160
_UNITS: Final = 70
"""What one message holds: 160 characters of the GSM 7-bit alphabet (3GPP TS 23.038 §6.2.1), else 70 of UTF-16."""
_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
_TYPOGRAPHIC: Final = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " ", "\u202f": " "}
)


def code_message(sentence: Callable[[str], str], *, brand: str, host: str, code: str) -> str:
    """The message. `sentence` says whose code it is: it gets the name of the brand, which is shortened until everything
    fits into one message, and left out for the host when not even its beginning fits."""
    last = f"\n\n@{host} #{code}"
    for length in range(len(brand), 0, -1):
        shown = brand if length == len(brand) else f"{brand[:length].rstrip()}..."
        if length < len(brand) and unicodedata.combining(brand[length]):
            continue  # never between a letter and its mark
        text = _plain(sentence(shown)) + last
        if fits(text):
            return text
    return _plain(sentence(host)) + last


def fits(text: str) -> bool:
    """Whether one message holds the text."""
    if all(char in _BASIC or char in _EXTENDED for char in text):
        return len(text) + sum(char in _EXTENDED for char in text) <= _SEPTETS
    return len(text.encode("utf-16-be")) // 2 <= _UNITS


def _plain(sentence: str) -> str:
    # on one line, whatever the brand or a translation contains, so that the last line is ours
    return " ".join(sentence.translate(_TYPOGRAPHIC).split())
