"""Strict base64url (RFC 4648 §5, RFC 7515 §2) and strict JSON (RFC 8725 §3)."""

import json
from typing import Any, Final, cast

from msgspec import DecodeError, ValidationError, convert, to_builtins
from msgspec.json import Decoder, Encoder

MAX_DEPTH: Final = 32
# So few bytes cannot nest deep enough to do harm, and counting the depth costs as much as parsing.
_SHALLOW: Final = 768
# Beyond this many digits an integer costs quadratic time, and no claim needs it.
SAFE_INTEGER: Final = 2**53

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# The padding by the rest of the length and by the last character. Its unused bits must be zero, or one value would have several encodings.
_PADDING: Final = (
    dict.fromkeys(_LETTERS, ""),
    dict[str, str](),
    dict.fromkeys("AQgw", "=="),
    dict.fromkeys("AEIMQUYcgkosw048", "="),
)

_ALIEN: Final = "not base64url: a character of another alphabet"
_SPARE_BITS: Final = "not base64url: the unused bits of the last character are set"

_decode = Decoder().decode
_decode_pair = Decoder(tuple[bytes, bytes]).decode
_encode = Encoder().encode


class Malformed(ValueError):
    """The text is not in the expected format. The message names the fault and contains none of the text."""


def b64url_encode(data: bytes) -> str:
    """Base64url without padding, RFC 7515 §2."""
    text: str = to_builtins(data)  # base64 of RFC 4648 §4, and faster than binascii
    return text.rstrip("=").replace("+", "-").replace("/", "_")


def b64url_decode(text: str) -> bytes:
    """Base64url without padding, RFC 7515 §2: each value has exactly one encoding. Raises `Malformed`."""
    if "+" in text or "/" in text:
        raise Malformed(_ALIEN)
    try:
        padding = _PADDING[len(text) & 3][text[-1]]
        return convert(text.replace("-", "+").replace("_", "/") + padding, bytes)
    except IndexError:  # no character at all
        return b""
    except KeyError:
        raise Malformed(_SPARE_BITS if text[-1] in _LETTERS else _ALIEN) from None
    except (ValidationError, UnicodeEncodeError):
        raise Malformed("not base64url") from None


def b64url_pair(one: str, other: str, whole: str) -> tuple[bytes, bytes]:
    """`b64url_decode` of two parts of the text `whole` in one step: a token's payload and signature.

    The decoder reads both as JSON strings, so backslashes are refused first, anywhere in `whole`: they would be unescaped. A quotation
    mark would make more than two strings. Raises `Malformed`.
    """
    if "+" in whole or "/" in whole or "\\" in whole:
        raise Malformed(_ALIEN)
    try:
        text = f'["{one}{_PADDING[len(one) & 3][one[-1]]}","{other}{_PADDING[len(other) & 3][other[-1]]}"]'
        return _decode_pair(text.replace("-", "+").replace("_", "/"))
    except IndexError:  # one of them is empty
        return b64url_decode(one), b64url_decode(other)
    except (KeyError, DecodeError, UnicodeEncodeError):
        raise Malformed("not base64url") from None


def json_object(data: bytes) -> dict[str, Any]:
    """Parse one JSON object, RFC 8259, without duplicate members at any depth. Raises `Malformed`, also past
    `MAX_DEPTH`.

    When two parsers disagree on which of two equal members is used, one token has two meanings.
    """
    try:
        value: object = _decode(data)
        # A value that encodes to the same bytes had no duplicate member: the encoder cannot write one.
        same = _encode(value) == data
    except (DecodeError, RecursionError, ValueError):
        raise Malformed("not JSON") from None
    if type(value) is not dict:
        raise Malformed("not a JSON object")
    members = cast("dict[str, Any]", value)
    if not same:
        _refuse_duplicates(data)
    if len(data) > _SHALLOW and data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        _refuse_depth(members)
    return members


def _refuse_duplicates(data: bytes) -> None:
    def pairs(members: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in members}) != len(members):
            raise Malformed("a JSON member stands twice")

    try:
        json.loads(data, object_pairs_hook=pairs)
    except Malformed:
        raise
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None


def _refuse_depth(value: object) -> None:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH + 1):
        deeper: list[object] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(cast("dict[str, object]", item).values())
            elif isinstance(item, list):
                deeper.extend(cast("list[object]", item))
        if not deeper:
            return
        level = deeper
    raise Malformed(f"JSON nested deeper than {MAX_DEPTH}")
