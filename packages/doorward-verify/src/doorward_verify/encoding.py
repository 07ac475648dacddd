"""Is this text exactly what it claims to be? Strict base64url (RFC 4648 §5, RFC 7515 §2) and strict JSON (RFC 8725 §3)."""

import json
from typing import Any, Final, cast

from msgspec import DecodeError, ValidationError, convert, to_builtins
from msgspec.json import Decoder, Encoder

MAX_DEPTH: Final = 32
# So few bytes cannot nest deep enough to hurt anybody, and counting costs as much as reading.
_SHALLOW: Final = 768
# Past this many digits an integer costs quadratic time and no claim needs it.
SAFE_INTEGER: Final = 2**53

_PADDING: Final = ("", "!", "==", "=")
# A last character that carries unused bits must have them zero, or one value would have several spellings.
_CANONICAL_LAST: Final = ("", "", "AQgw", "AEIMQUYcgkosw048")

_ALIEN: Final = "not base64url: a character of another alphabet"
_SPARE_BITS: Final = "not base64url: the unused bits of the last character are set"

_decode = Decoder().decode
_decode_pair = Decoder(tuple[bytes, bytes]).decode
_encode = Encoder().encode


class Malformed(ValueError):
    """The text is not what it should be. The message names the fault and holds none of the text."""


def b64url_encode(data: bytes) -> str:
    """Base64url without padding, RFC 7515 §2."""
    text: str = to_builtins(data)  # base64 of RFC 4648 §4, and quicker at it than binascii
    return text.rstrip("=").replace("+", "-").replace("/", "_")


def b64url_decode(text: str) -> bytes:
    """Base64url without padding, RFC 7515 §2: one value has one spelling. Raises `Malformed`."""
    if "+" in text or "/" in text or "=" in text:
        raise Malformed(_ALIEN)
    spare = len(text) & 3
    try:
        data = convert(text.replace("-", "+").replace("_", "/") + _PADDING[spare], bytes)
    except (ValidationError, UnicodeEncodeError):
        raise Malformed("not base64url") from None
    if spare and text[-1] not in _CANONICAL_LAST[spare]:
        raise Malformed(_SPARE_BITS)
    return data


def b64url_pair(text: str, dot: int) -> tuple[bytes, bytes]:
    """`b64url_decode` of what stands before and after the position `dot`, in one step: a token's payload and signature.

    The decoder reads the two as JSON strings, so what JSON would unescape is refused first. Raises `Malformed`.
    """
    if "+" in text or "/" in text or "=" in text or '"' in text or "\\" in text:
        raise Malformed(_ALIEN)
    plain = text.replace("-", "+").replace("_", "/")
    one, two = dot & 3, (len(text) - dot - 1) & 3
    try:
        pair = _decode_pair(f'["{plain[:dot]}{_PADDING[one]}","{plain[dot + 1 :]}{_PADDING[two]}"]')
    except (DecodeError, UnicodeEncodeError):
        raise Malformed("not base64url") from None
    if (one and text[dot - 1] not in _CANONICAL_LAST[one]) or (two and text[-1] not in _CANONICAL_LAST[two]):
        raise Malformed(_SPARE_BITS)
    return pair


def json_object(data: bytes) -> dict[str, Any]:
    """One JSON object, RFC 8259, with no member twice, at any depth. Raises `Malformed`, also where it nests past `MAX_DEPTH`.

    Two parsers that disagree on which of two equal members counts is how a token means one thing here and another there.
    """
    try:
        value: object = _decode(data)
        # What comes back byte for byte the same had no member twice: encoding cannot produce one.
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
