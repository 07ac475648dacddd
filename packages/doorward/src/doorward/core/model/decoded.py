"""Text out of bytes that a person or a program wrote: UTF-8, without the mark that some editors put in front."""

from __future__ import annotations

from typing import Final

_MARK: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class NotText(ValueError):
    """What was read is no UTF-8 text. The message completes a sentence such as "standard input …" and holds none of the bytes."""


def decoded(raw: bytes) -> str:
    """The bytes as text; a byte order mark at the beginning (Unicode §23.8) is no part of it. Raises `NotText`.

    UTF-16 is told by its own name: Windows programs write it, and to everybody else it looks as if every second byte were zero. A zero
    byte is refused: no setting, password or key has one, and what is read behind it would depend on the reader.
    """
    if raw.startswith(_UTF16) or _every_second_is_zero(raw):
        raise NotText("is UTF-16; save it as UTF-8")
    try:
        text = raw.removeprefix(_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise NotText(f"is not UTF-8 (line {line}); save it as UTF-8") from None
    if "\0" in text:
        raise NotText("holds a zero byte")
    return text


def _every_second_is_zero(raw: bytes) -> bool:
    """Whether it is UTF-16 of Latin letters that does not say so."""
    pairs = len(raw) // 2
    return pairs > 1 and pairs in {raw[0::2].count(0), raw[1::2].count(0)}
