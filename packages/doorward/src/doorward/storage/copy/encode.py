"""Row encoding and checksum: the same bytes for the same rows on every engine.

A row is a msgpack array of its values in column order (text, number, bytes or nil; each is written in its one shortest
form). The checksum of a set of rows is the SHA-256 of their concatenated arrays, so it does not depend on how a table
was cut into pieces.
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
    """The concatenated arrays of the rows, without a frame around them."""
    packed = _encoder.encode(rows)
    count = len(rows)
    # the header of the outer array: 1, 3 or 5 bytes (msgpack: fixarray, array 16, array 32)
    return packed[1 if count < 16 else 3 if count < 65_536 else 5 :]


def checksum(rows: Sequence[Row]) -> bytes:
    """SHA-256 of the rows."""
    return hashlib.sha256(encode(rows)).digest()


def encode_key(key: Key) -> bytes:
    """A key in its stored form."""
    return _encoder.encode(key)


def decode_key(text: bytes) -> Key:
    """A key from its stored form."""
    return _key.decode(text)


@final
class Running:
    """Incremental row count and checksum."""

    __slots__ = ("_digest", "rows")

    def __init__(self) -> None:
        self.rows = 0
        self._digest = hashlib.sha256()

    def add(self, rows: Sequence[Row]) -> None:
        """Add rows."""
        self._digest.update(encode(rows))
        self.rows += len(rows)

    def checksum(self) -> bytes:
        """Checksum of all rows so far."""
        return self._digest.digest()
