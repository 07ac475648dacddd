"""Text of an API key: a prefix, the id of the key, a secret and a checksum, so that secret scanners recognise it.

The format never changes: scanners everywhere hold the expression, and programs hold the keys.
"""

from __future__ import annotations

import hmac
import re
from binascii import crc32
from typing import Final, Literal

from msgspec import Struct

from doorward.core.model.api_key import KEY_ID, ApiKey
from doorward.core.model.digest import digest

PREFIX: Final = "dwk_"
SECRET_BYTES: Final = 32
_SECRET: Final = 43
_CHECKSUM: Final = 6
PATTERN: Final = r"\bdwk_[0-9a-f]{32}_[0-9A-Za-z]{49}\b"
"""The expression for secret scanners, in the syntax that those of Go, Python, Rust and JavaScript share."""
LENGTH: Final = len(PREFIX) + 32 + 1 + _SECRET + _CHECKSUM
_WHOLE: Final = re.compile(r"dwk_([0-9a-f]{32})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})", re.ASCII)
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

Secret = Literal["current", "previous"]


class PresentedKey(Struct, frozen=True):
    """A key as it was sent: its id, and the digest of its whole text."""

    id: str
    hash: bytes

    def __repr__(self) -> str:
        return f"PresentedKey({self.id}, ***)"


def write(key_id: str, secret: bytes) -> str:
    """The text of the key `key_id` (`key_` and 32 hex digits) with a secret of `SECRET_BYTES` random bytes."""
    body = f"{PREFIX}{key_id.removeprefix(f'{KEY_ID}_')}_{_base62(int.from_bytes(secret), _SECRET)}"
    return body + _checksum(body)


def read(text: str) -> PresentedKey | None:
    """The key in a text that a request sent; None if the text is none, or has another checksum: then no key of this server was ever like
    that, and nothing is looked up."""
    match = _WHOLE.fullmatch(text) if len(text) == LENGTH else None
    if match is None or _checksum(text[:-_CHECKSUM]) != match[3]:
        return None
    return PresentedKey(f"{KEY_ID}_{match[1]}", digest(text))


def secret_of(key: ApiKey | None, presented: PresentedKey, now: int) -> Secret | None:
    """Which secret of the stored key was presented; None if none that still works. The comparisons are the same for a key that does not
    exist, and take the same time for every wrong secret."""
    current = hmac.compare_digest(presented.hash, _NO_HASH if key is None else key.secret_hash)
    before = None if key is None else key.previous_hash
    previous = hmac.compare_digest(presented.hash, before or _NO_HASH)
    if key is None:
        return None
    if current:
        return "current"
    return "previous" if previous and now < (key.previous_until or 0) else None


# stands for the digest of a key that is not there: nobody knows a text with it
_NO_HASH: Final = bytes(32)


def _checksum(body: str) -> str:
    return _base62(crc32(body.encode()), _CHECKSUM)


def _base62(number: int, width: int) -> str:
    found = ""
    while number:
        number, digit = divmod(number, 62)
        found = _DIGITS[digit] + found
    return found.rjust(width, "0")
