"""Ranges of IP addresses with a label each, packed and sorted: a lookup halves them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final, final, overload

MOST_RANGES: Final = 2_000_000
"""Of one kind, in all files: 68 MB. The regional registries delegate about 400,000 ranges."""

_MAPPED: Final = 0xFFFF << 32
_KEY: Final = 16
_ENTRY: Final = 2 * _KEY + 2

Range = tuple[int, int, str]
"""First and last address as `number` gives them, and a label of at most two ASCII characters."""


class BadTable(ValueError):
    """A file is invalid; the text says where and how to fix it."""


def number(address: IPv4Address | IPv6Address) -> int:
    """The address among the IPv6 addresses; an IPv4 address is there as ::ffff:0:0/96 (RFC 4291 §2.5.5.2)."""
    return int(address) | _MAPPED if isinstance(address, IPv4Address) else int(address)


@final
class AddressRanges:
    """Labels by ranges: 34 bytes each. Where ranges overlap, the one that begins later counts, and of two with one begin the narrower:
    that is the more precise entry."""

    __slots__ = ("_entries", "_firsts")

    def __init__(self, ranges: Iterable[Range]) -> None:
        """Raises `BadTable` if there are more than `MOST_RANGES`."""
        packed: list[bytes] = []
        for first, last, label in ranges:
            # the wider of two ranges with one begin is sorted before the narrower
            packed.append(_bytes(first) + _bytes(~last) + label.encode("ascii").ljust(2))
            if len(packed) > MOST_RANGES:
                raise BadTable(f"there are more than {MOST_RANGES:,} ranges. Leave some files out.")
        packed.sort()
        self._entries = b"".join(_apart(packed))
        self._firsts = _Firsts(self._entries)

    def __len__(self) -> int:
        return len(self._firsts)

    def label(self, address: IPv4Address | IPv6Address) -> str | None:
        """The label of the range that holds the address."""
        wanted = _bytes(number(address))
        at = (bisect_right(self._firsts, wanted) - 1) * _ENTRY
        if at < 0 or wanted > self._entries[at + _KEY : at + 2 * _KEY]:
            return None
        return self._entries[at + 2 * _KEY : at + _ENTRY].decode("ascii").rstrip()


def _apart(packed: Iterable[bytes]) -> Iterable[bytes]:
    """Disjoint ranges, in order: (first, last, label). A range is cut where another lies in it."""
    open_: list[tuple[int, bytes]] = []
    done = -1  # the last address that is written
    for entry in packed:
        first, last, label = _int(entry[:_KEY]), _last(entry), entry[2 * _KEY :]
        while open_ and open_[-1][0] < first:
            yield from _piece(done + 1, *open_[-1])
            done = max(done, open_.pop()[0])
        if open_:
            yield from _piece(done + 1, first - 1, open_[-1][1])
        done = max(done, first - 1)
        open_.append((last, label))
    while open_:
        yield from _piece(done + 1, *open_[-1])
        done = max(done, open_.pop()[0])


def _piece(first: int, last: int, label: bytes) -> Iterable[bytes]:
    if first <= last:
        yield _bytes(first) + _bytes(last) + label


def _last(entry: bytes) -> int:
    return _int(entry[_KEY : 2 * _KEY]) ^ ((1 << 8 * _KEY) - 1)


def _bytes(value: int) -> bytes:
    return (value & ((1 << 8 * _KEY) - 1)).to_bytes(_KEY, "big")


def _int(value: bytes) -> int:
    return int.from_bytes(value, "big")


@final
class _Firsts(Sequence[bytes]):
    """The first addresses of packed ranges."""

    __slots__ = ("_entries",)

    def __init__(self, entries: bytes) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries) // _ENTRY

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        return self._entries[index * _ENTRY : index * _ENTRY + _KEY]
