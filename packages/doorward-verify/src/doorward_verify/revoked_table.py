"""Compact table of revocations: fixed-width records, sorted by a hash of what they revoke.

A record has 24 bytes: 16 of hash, 4 of `before` and 4 of `exp`, both big-endian seconds. An index of 65,536 places, by the first two
bytes of the hash, costs another 256 KiB, and a filter 16 to 32 bits a record, at most 2 MiB. A million revocations take 26 MB. The filter has
a bit for each beginning of a hash, up to 24 bits of it: for most ids that are not revoked it says so, in a part of memory that stays in the
processor's caches. The look-ups of the others, one in 17 among a million, are searches in about 15 records.

Two different ids share a hash with the probability 2**-128. A token would then be refused although nobody revoked it; no revoked token
is ever accepted for it. For a million entries and a thousand million ids that are looked up, the probability that it happens once is
3e-24, and the next salt ends it. So many bytes and not eight, because people choose some ids themselves, such as the address of an
app's document: who searches for an id with the hash of somebody else's session needs about 2**108 tries among a million sessions.
"""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

KEY_BYTES: Final = 16
RECORD_BYTES: Final = 24
LONGEST: Final = 2**32 - 1
"""The largest time of a record, the year 2106. As `before` it concerns every token."""
_PLACES: Final = 1 << 16
_CHUNK: Final = 16_384
_MOST_BITS: Final = 24

News = Mapping[bytes, int]
"""Revocations by hash, as `packed` numbers."""


class InvalidTable(ValueError):
    """The bytes are not sorted records."""


def packed(before: int | None, exp: int) -> int:
    """`before` (None: every token) and `exp` in one number. Times outside the range of a record become its limits."""
    first = LONGEST if before is None else min(max(before, 0), LONGEST)
    return first << 32 | min(max(exp, 0), LONGEST)


def both(one: int, other: int) -> int:
    """What two revocations of one id revoke together: the later `before`, until the later `exp`."""
    return max(one >> 32, other >> 32) << 32 | max(one & LONGEST, other & LONGEST)


class RevokedTable:
    """Records that never change. `records` must be sorted. `rest` is called after each 16,384 of them, as in `merged`. Raises
    `InvalidTable`.

    `stale_at`: when a quarter of the records has expired (seconds), judged by every 64th.
    """

    __slots__ = ("_filter", "_index", "_shift", "records", "stale_at")

    def __init__(self, records: bytes | bytearray, rest: Callable[[], object] = lambda: None) -> None:
        if len(records) % RECORD_BYTES or len(records) > LONGEST:
            raise InvalidTable(f"a table has records of {RECORD_BYTES} bytes, and at most 4 GiB")
        self.records = records
        self._index = _index(records)
        self._shift = _MOST_BITS - min(_MOST_BITS, max(3, (16 * len(self)).bit_length()))
        self._filter = _filter(records, self._shift, rest)
        times = sorted(bytes(records[at + 20 : at + 24]) for at in range(0, len(records), 64 * RECORD_BYTES))
        self.stale_at = int.from_bytes(times[len(times) // 4], "big") if times else LONGEST

    def __len__(self) -> int:
        return len(self.records) // RECORD_BYTES

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return len(self.records) + self._index.itemsize * len(self._index) + len(self._filter)

    def before(self, hashed: bytes) -> int:
        """Until when the tokens of this hash were issued that are revoked (seconds); -1 when none are. Its first 16 bytes count."""
        place = hashed[0] << 8 | hashed[1]
        bit = (place << 8 | hashed[2]) >> self._shift
        if not self._filter[bit >> 3] >> (bit & 7) & 1:
            return -1
        key, index, records = hashed[:KEY_BYTES], self._index, self.records
        end = index[place + 1]
        found = records.find(key, index[place], end)
        while found >= 0:
            if not found % RECORD_BYTES:
                return int.from_bytes(records[found + KEY_BYTES : found + KEY_BYTES + 4], "big")
            found = records.find(key, found + 1, end)  # those were the same bytes across two records
        return -1

    def of(self, first_byte: int, line: bytes) -> list[bytes]:
        """The records whose hash begins with this byte and whose `exp` is not before `line`."""
        start, end = self._index[first_byte << 8], self._index[(first_byte + 1) << 8]
        part = bytes(self.records[start:end])
        cut = [part[at : at + RECORD_BYTES] for at in range(0, len(part), RECORD_BYTES)]
        return [record for record in cut if record[20:] >= line]


def merged(
    tables: Sequence[RevokedTable], news: News, line: int, rest: Callable[[], object] = lambda: None
) -> RevokedTable:
    """One table of all records and news that are not expired at `line` (seconds). `rest` is called 256 times in between, so that a
    background thread can give way to others."""
    limit = min(max(line, 0), LONGEST).to_bytes(4, "big")
    fresh = sorted(_records(news))
    # in one piece: a table that grows would be copied, with twice the memory
    made = bytearray((sum(map(len, tables)) + len(fresh)) * RECORD_BYTES)
    at = end = 0
    for first in range(256):
        part: list[bytes] = []
        for table in tables:
            part += table.of(first, limit)
        while at < len(fresh) and fresh[at][0] == first:
            if fresh[at][20:] >= limit:
                part.append(fresh[at])
            at += 1
        part.sort()
        if any(one[:KEY_BYTES] == other[:KEY_BYTES] for one, other in pairwise(part)):
            part = sorted(_records(_together(part)))
        start, end = end, end + len(part) * RECORD_BYTES
        made[start:end] = b"".join(part)
        rest()
    del made[end:]
    return RevokedTable(made, rest)


def _records(news: News) -> Iterable[bytes]:
    return (key + value.to_bytes(8, "big") for key, value in news.items())


def _together(records: Iterable[bytes]) -> News:
    found: dict[bytes, int] = {}
    for record in records:
        key, value = record[:KEY_BYTES], int.from_bytes(record[KEY_BYTES:], "big")
        earlier = found.get(key)
        found[key] = value if earlier is None else both(earlier, value)
    return found


def _index(records: bytes | bytearray) -> "array[int]":
    """Where the records of each first two bytes begin, in bytes, and behind them the end."""
    pairs = bytearray(2 * (len(records) // RECORD_BYTES))
    pairs[0::2], pairs[1::2] = records[0::RECORD_BYTES], records[1::RECORD_BYTES]
    places = array("H", pairs)
    if sys.byteorder == "little":
        places.byteswap()
    for start in range(0, len(places), _CHUNK):
        listed = places[start : start + _CHUNK + 1].tolist()
        if sorted(listed) != listed:
            raise InvalidTable("the records of a table are not sorted")
    return array("I", (bisect_left(places, place) * RECORD_BYTES for place in range(_PLACES + 1)))


def _filter(records: bytes | bytearray, shift: int, rest: Callable[[], object]) -> bytearray:
    """A set bit for the first 24 bits of each hash, without the last `shift` of them."""
    bits = bytearray(1 << (_MOST_BITS - 3) >> shift)
    for start in range(0, len(records), _CHUNK * RECORD_BYTES):
        end = start + _CHUNK * RECORD_BYTES
        firsts = (records[start + byte : end : RECORD_BYTES] for byte in range(3))
        for one, two, three in zip(*firsts, strict=True):
            bit = (one << 16 | two << 8 | three) >> shift
            bits[bit >> 3] |= 1 << (bit & 7)
        rest()
    return bits
