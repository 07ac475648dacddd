"""Reading of DER elements (ITU-T X.690 §8.1), as far as the extension of Android's key attestation needs it."""

from __future__ import annotations

from typing import Final

_LONG_TAG: Final = 0x1F
_LONG: Final = 0x80


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """The number and the content of each element; class and form are ignored. Raises ValueError or IndexError for anything else."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        number = data[at] & _LONG_TAG
        at += 1
        if number == _LONG_TAG:
            number = 0
            while True:
                byte = data[at]
                at += 1
                number = number << 7 | byte & 0x7F
                if not byte & _LONG:
                    break
        length = data[at]
        at += 1
        if length & _LONG:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise ValueError("an element is longer than its container")
        found.append((number, data[at : at + length]))
        at += length
    return found
