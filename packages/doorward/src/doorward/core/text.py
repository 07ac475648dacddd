"""Normal forms of typed text: codes, addresses, names, and names that must not look alike (RFC 8264, 8265, 8266).

Passwords have their own rule (`features/authn/factors/password/rules/password.py`), and values that programs send (ids,
secrets, scopes, URLs) are compared unchanged. docs/reference/text.md lists all kinds.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from typing import Final

MAX_CODE: Final = 128
"""Characters: the longest code with all spaces, hyphens and marks that a person would add. Longer text is not a code.
"""

_NON_JOINER, _JOINER = "\u200c", "\u200d"
_FLAG, _END_OF_TAGS = "\U0001f3f4", "\U000e007f"
_TAGGED_FLAG: Final = re.compile(f"{_FLAG}[\U000e0030-\U000e0039\U000e0061-\U000e007a]{{1,6}}{_END_OF_TAGS}")
# Invisible letters and symbols; all other invisible characters are of category Cf.
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")
_LINE_BREAKING: Final = frozenset({"Cc", "Zl", "Zp", "Zs", "Cs", "Co"})
_MINUS: Final = "\u2212"
_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,4}")


def code(typed: str) -> str:
    """A code in its original form: ASCII digits and letters. "" for text too long to be a code.

    Digits of every script become ASCII digits, full-width forms become narrow (RFC 8265 §3.3.1), and characters that
    people and programs put between or around them (spaces, hyphens, direction marks) are removed.
    """
    if len(typed) > MAX_CODE:
        return ""
    return "".join(
        _plain(char)
        for char in typed
        if char != _MINUS and unicodedata.category(char) not in {"Cc", "Cf", "Zs", "Zl", "Zp", "Pd"}
    )


def trimmed(typed: str) -> str:
    """The text without the spaces and invisible characters at both ends that copying from mail, chats and address books
    adds."""
    begin, end = 0, len(typed)
    while begin < end and _nothing(typed[begin]):
        begin += 1
    while end > begin and _nothing(typed[end - 1]):
        end -= 1
    return typed[begin:end]


def name(typed: str) -> str:
    """A display name: NFC, single spaces, no hidden characters (RFC 8266 §2.1). "" when nothing is visible.

    Joiners stay where the script needs them (RFC 5892 A.1, A.2: Persian, Sinhala) and in emoji sequences; other
    invisible characters are removed, including direction marks, since they could make a name look like another one.
    """
    text = unicodedata.normalize("NFC", typed)
    flags = _flags(text)
    kept = "".join(_shown(text, at, char, flags) for at, char in enumerate(text))
    found = unicodedata.normalize("NFC", " ".join(kept.split()))
    return found if any(_seen(char) for char in found) else ""


def same_as(text: str) -> str:
    """The comparison form of a name, which must be unique (RFC 8266 §2.3): compatibility forms, letter case, spaces and
    joiners make no difference.

    Similar letters of two scripts do differ: detecting those needs a list that changes with every version of Unicode.
    """
    folded = unicodedata.normalize("NFKC", name(text)).casefold()
    plain = "".join(char for char in folded if unicodedata.category(char) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", plain).split())


def compatible(text: str) -> bool:
    """Whether no character is a compatibility form of a plainer one (RFC 8265 §3.3: full width, ligatures, raised
    letters)."""
    return unicodedata.is_normalized("NFKC", text)


def one_line(text: str) -> bool:
    """Whether it can be shown on one line: no control character, no line break, no half of a surrogate pair."""
    return not any(unicodedata.category(char) in {"Cc", "Zl", "Zp", "Cs"} for char in text)


def locale(typed: str) -> str | None:
    """A language tag (RFC 5646 §2.1) in its usual letter case, "de-CH" from "de_ch"; None when it is invalid."""
    text = trimmed(typed).replace("_", "-")
    if not _LOCALE.fullmatch(text):
        return None
    language, *others = text.split("-")
    usual = [part.title() if len(part) == 4 and part.isalpha() else part.lower() for part in others]
    return "-".join(
        [language.lower(), *(part.upper() if len(part) == 2 and part.isalpha() else part for part in usual)]
    )


def _plain(char: str) -> str:
    value = unicodedata.decimal(char, None)
    if value is not None:
        return str(value)
    wide = unicodedata.decomposition(char).startswith(("<wide>", "<narrow>"))
    return unicodedata.normalize("NFKC", char) if wide else char


def _nothing(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in {"Cc", "Cf"} or char in _BLANK


def _seen(char: str) -> bool:
    return char not in _BLANK and unicodedata.category(char) not in {"Cf", "Mn", "Me", "Zs"}


def _shown(text: str, at: int, char: str, flags: frozenset[int]) -> str:
    category = unicodedata.category(char)
    if category in _LINE_BREAKING:
        return " "
    if category != "Cf":
        return char
    if char in (_NON_JOINER, _JOINER):
        return char if _joins(text, at) else ""
    return char if at in flags else ""


def _joins(text: str, at: int) -> bool:
    # imported only here: its tables are large and most names never need them
    import idna

    with suppress(ValueError):  # unnamed characters join nothing
        if idna.valid_contextj(text, at):
            return True
    return text[at] == _JOINER and _picture(text, at, -1) and _picture(text, at, 1)


def _picture(text: str, at: int, step: int) -> bool:
    """Whether an emoji is next to a joiner; the one before it may have a skin colour and a variation selector."""
    at += step
    while step < 0 and at > 0 and (text[at] == "\ufe0f" or "\U0001f3fb" <= text[at] <= "\U0001f3ff"):
        at += step
    # emoji are symbols, including the two gender signs
    return 0 <= at < len(text) and unicodedata.category(text[at]) in {"So", "Sm", "Cn"}


def _flags(text: str) -> frozenset[int]:
    """The positions of tag characters in flags such as Scotland's."""
    return frozenset(
        at for found in _TAGGED_FLAG.finditer(text) for at in range(found.start() + 1, found.end())
    )
