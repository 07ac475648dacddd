"""Verification with a million live revocations, compared with an empty view, and the memory that they take.

Rounds in turn with tokens that were never used before, as in `bench/verify.py`. Half of the entries are sessions and half are grants, as
sign-outs make them.
"""

import ctypes
import gc
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from bench.tokens import AUDIENCE, ISSUER, Mint, fresh_copies
from doorward_verify import ResourceServer
from doorward_verify.revocation import Feed, RevocationView, id_hash
from doorward_verify.revoked_table import RECORD_BYTES, RevokedTable, packed

LIVE = 1_000_000
_COLD_TOKENS = 1000
_WARM_TOKENS = 500
_WARM_COPIES = 20
_LOOK_UPS = 200_000
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Load:
    """Medians of the ratios of each round; microseconds of one look-up; MiB of the process."""

    cold: float
    warm: float
    look_up: float
    held: float
    merging: float
    rounds: int


def random_records(count: int) -> bytes:
    """Sorted records of ids that nobody has."""
    times = packed(None, int(time.time()) + 3600).to_bytes(8, "big")
    return b"".join(sorted(os.urandom(16) + times for _ in range(count)))


def memory() -> tuple[float, float]:
    """MiB by which the process grows with a million entries, and at most while they are merged with news."""
    records = bytearray(random_records(LIVE))
    trim = ctypes.CDLL("libc.so.6").malloc_trim
    gc.collect()
    trim(0)
    # the records themselves are here already
    before = _resident() - len(records) / _MIB
    view = RevocationView()
    view.apply(Feed("1", reset=True, entries=[], salt="s"), time.time(), (RevokedTable(records),), {"sid"})
    del records
    held = _resident() - before
    for number in range(16_384):
        view._view.news[id_hash("s", "sid", f"{number}")] = packed(None, int(time.time()) + 3600)
    merge = view.merge(time.time())
    assert merge is not None
    most = [held]
    view.take(merge, merge.table(lambda: most.append(_resident() - before)))
    assert view.size > LIVE * RECORD_BYTES
    return held, max(*most, _resident() - before)


def measure(seconds: float) -> Load:
    """Measure both sides in turn for about `seconds`, at least five rounds."""
    held, merging = memory()
    mint = Mint()
    sides: dict[str, ResourceServer] = {}
    for name in ("empty", "million"):
        sides[name] = ResourceServer(ISSUER, AUDIENCE, jwks=mint.jwks())
    view = sides["million"]._view
    table = RevokedTable(random_records(LIVE))
    view.apply(Feed("1", reset=True, entries=[], salt="s"), time.time(), (table,), {"sid", "grant"})
    view.fresh_until = float("inf")
    keys = [os.urandom(16) for _ in range(_LOOK_UPS)]
    # the least of twenty: the rest is other load on the machine
    look_up = min(_looked_up(table, keys[turn::20]) for turn in range(20))
    often = [token.text for token in mint.mint(_WARM_TOKENS)]
    for text in often:
        for side in sides.values():
            side.verify(text)
    found: list[tuple[float, float]] = []
    until = time.perf_counter() + seconds
    while len(found) < 5 or time.perf_counter() < until:
        cold = [token.text for token in mint.mint(_COLD_TOKENS)]
        again = fresh_copies(often, _WARM_COPIES)
        took: dict[tuple[str, str], float] = {}
        order = list(sides) if len(found) % 2 else list(sides)[::-1]
        for name in order:
            for kind, texts in (("cold", cold), ("warm", again)):
                took[name, kind] = _timed(sides[name], texts)
        found.append(
            (took["empty", "cold"] / took["million", "cold"], took["empty", "warm"] / took["million", "warm"])
        )
    return Load(
        cold=statistics.median(row[0] for row in found),
        warm=statistics.median(row[1] for row in found),
        look_up=look_up,
        held=held,
        merging=merging,
        rounds=len(found),
    )


def _looked_up(table: RevokedTable, keys: list[bytes]) -> float:
    began = time.perf_counter()
    for key in keys:
        table.before(key)
    return (time.perf_counter() - began) / len(keys) * 1e6


def _timed(side: ResourceServer, texts: list[str]) -> float:
    gc.collect()
    gc.disable()
    try:
        began = time.perf_counter()
        for text in texts:
            side.verify(text)
        return time.perf_counter() - began
    finally:
        gc.enable()


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / _MIB
