"""How do rows become bytes that are the same for the same rows on every engine, and what is their checksum?

A row is a msgpack array of its values in the order of the columns (text, number, bytes or nil; msgpack has one shortest form for
each as it is written here). The checksum of some rows is the SHA-256 of their arrays one after another, so that it does not depend
on how a table was cut into pieces.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, final

import msgspec

from doorward.storage.sql.statements import Param, Row

Key = tuple[Param, ...]

_encoder = msgspec.msgpack.Encoder()
_key = msgspec.msgpack.Decoder(tuple[Any, ...])


def encode(rows: Sequence[Row]) -> bytes:
    """The rows' arrays, one after another, without a frame around them."""
    packed = _encoder.encode(rows)
    count = len(rows)
    # the head of the outer array: 1, 3 or 5 bytes (msgpack: fixarray, array 16, array 32)
    return packed[1 if count < 16 else 3 if count < 65_536 else 5 :]


def checksum(rows: Sequence[Row]) -> bytes:
    """SHA-256 of some rows."""
    return hashlib.sha256(encode(rows)).digest()


def encode_key(key: Key) -> bytes:
    """A key as it is written down."""
    return _encoder.encode(key)


def decode_key(text: bytes) -> Key:
    """A key that was written down."""
    return _key.decode(text)


@final
class Running:
    """The number of rows and their checksum, while they pass."""

    __slots__ = ("_digest", "rows")

    def __init__(self) -> None:
        self.rows = 0
        self._digest = hashlib.sha256()

    def add(self, rows: Sequence[Row]) -> None:
        """Some more rows."""
        self._digest.update(encode(rows))
        self.rows += len(rows)

    def checksum(self) -> bytes:
        """Of all rows so far."""
        return self._digest.digest()
