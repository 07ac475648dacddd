"""Text decoding for input of people and programs: UTF-8, without a byte order mark."""

from __future__ import annotations

from typing import Final

_MARK: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class NotText(ValueError):
    """The input is not UTF-8 text. The message completes a sentence such as "standard input …" and holds none of the
    bytes."""


def decoded(raw: bytes) -> str:
    """The bytes as text, without a leading byte order mark (Unicode §23.8). Raises `NotText`.

    UTF-16 is reported by name, because Windows programs write it. A zero byte is refused: no setting, password or key
    has one, and different readers treat the text after it differently.
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
    """Whether it is UTF-16 of Latin letters without a byte order mark."""
    pairs = len(raw) // 2
    return pairs > 1 and pairs in {raw[0::2].count(0), raw[1::2].count(0)}
