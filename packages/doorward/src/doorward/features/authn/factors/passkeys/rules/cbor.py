"""Well-formedness of CBOR (RFC 8949 appendix C, in the form of CTAP 2.1 §8: definite lengths, no tags, few levels).

The library reads a text or byte string that ends too early as a shorter one, and recurses as deep as the sender wants.
"""

from __future__ import annotations

from typing import Final

_MAX_DEPTH: Final = 8
_INTEGERS, _STRINGS, _ARRAY, _MAP, _SIMPLE = (0, 1), (2, 3), 4, 5, 7
_DIRECT: Final = 24
_WIDEST: Final = 27


def items(data: bytes) -> int:
    """The number of items of which the data consists. Raises ValueError or IndexError for anything else."""
    at, found = 0, 0
    while at < len(data):
        at = _end(data, at, 0)
        found += 1
    return found


def _end(data: bytes, at: int, depth: int) -> int:
    """Where the item that begins at `at` ends."""
    if depth > _MAX_DEPTH:
        raise ValueError("CBOR nested too deep")
    major, extra = data[at] >> 5, data[at] & 0x1F
    at += 1
    value = extra
    if extra >= _DIRECT:
        if extra > _WIDEST:
            raise ValueError("CBOR of indefinite length")
        size = 1 << extra - _DIRECT
        value = int.from_bytes(data[at : at + size], "big")
        at += size
    if major in _STRINGS:
        at += value
    elif major in (_ARRAY, _MAP):
        for _ in range(value if major == _ARRAY else 2 * value):
            at = _end(data, at, depth + 1)
    elif major not in (*_INTEGERS, _SIMPLE):
        raise ValueError("CBOR with a tag")
    if at > len(data):
        raise ValueError("CBOR ends too early")
    return at
