"""Snapshots of the feed: all that is revoked as one file for each API, which caches can carry to verifiers that start."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from msgspec import Struct, field

from doorward.core.model.revocation import Revocation, RevocationKind, same_history
from doorward.core.ports.clock import Clock
from doorward.core.ports.keys import TokenSigner
from doorward.features.revocations.rules import snapshot as rule
from doorward.features.revocations.rules.pages import FeedPages
from doorward_verify.revocation import SNAPSHOT_TYP
from doorward_verify.revoked_table import RECORD_BYTES, RevokedTable, both, merged

_FLUSH: Final = 16_384
_PAUSE: Final = 0.001
"""Seconds that the thread which makes a snapshot gives to requests, again and again."""


class SnapshotPart(Struct, kw_only=True):
    """The entries of one API, or of all. `file` is what is served."""

    tables: list[RevokedTable]
    kinds: set[RevocationKind]
    count: int = 0
    file: bytes = b""
    etag: str = ""

    def table(self) -> RevokedTable:
        """The records of the file again."""
        return RevokedTable(self.file[: self.count * RECORD_BYTES])


class SnapshotState(Struct, kw_only=True):
    """What this process made at one moment, by the part of its name."""

    salt: str
    seq: int
    minute: int
    parts: dict[str, SnapshotPart]


class Snapshots(Struct, kw_only=True):
    """Makes at most one set of snapshots in a minute, when somebody begins to follow the feed: from the one before and the entries since
    then, in a thread. Between two of them all verifiers that start get the same bytes.

    They are not stored: each process makes its own from the entries that it holds anyway, under the same names.
    """

    clock: Clock
    signer: TokenSigner
    issuer: str
    _newest: SnapshotState | None = None
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def offered(self, pages: FeedPages, salt: str, audience: str | None) -> tuple[list[str], int]:
        """The addresses of what a verifier of this API begins with, and the number up to which they reach. Without an audience: all."""
        state = await self._current(pages, salt)
        wanted = (rule.ALL, rule.part_name(audience)) if audience is not None else tuple(state.parts)
        minute = state.minute * rule.EVERY
        names = [rule.snapshot_name(salt, state.seq, minute, part) for part in wanted if part in state.parts]
        return [f"{self.issuer}/revocations/snapshots/{name}" for name in names], state.seq

    async def file(self, pages: FeedPages, salt: str, name: str) -> SnapshotPart | None:
        """The snapshot of this name; None unless it is of this minute or the one before. A process that was not asked yet makes its own."""
        now, part = self.clock.now(), name.rpartition(".")[2]
        names = [rule.snapshot_name(salt, pages.seq, at, part) for at in (now, now - rule.EVERY)]
        if name not in names or not len(pages):
            return None
        return (await self._current(pages, salt)).parts.get(part)

    async def _current(self, pages: FeedPages, salt: str) -> SnapshotState:
        minute = self.clock.now() // rule.EVERY
        async with self._making:
            old = self._newest
            if old is not None and (
                old.salt != salt or not same_history(old.seq, pages.seq) or old.seq > pages.seq
            ):
                old = None
            if (
                old is not None
                and minute - 1 <= old.minute <= minute
                and (old.minute == minute or old.seq == pages.seq)
            ):
                return old
            # read here: the pages change while the thread works
            seq, entries = pages.seq, list(pages.since(0 if old is None else old.seq))
            now = self.clock.now()
            parts = await asyncio.to_thread(_made, old, entries, salt, now)
            for name, part in parts.items():
                await asyncio.to_thread(self._sign, part, name, salt, seq, now)
            self._newest = SnapshotState(salt=salt, seq=seq, minute=minute, parts=parts)
            return self._newest

    def _sign(self, part: SnapshotPart, name: str, salt: str, seq: int, now: int) -> None:
        (table,) = part.tables
        part.count, part.tables = len(table), []
        said = rule.claims(
            table.records,
            issuer=self.issuer,
            salt=salt,
            seq=seq,
            now=now,
            part=name,
            count=part.count,
            kinds=part.kinds,
        )
        signed = self.signer.sign(said, typ=SNAPSHOT_TYP)
        part.file = b"%b\n%b" % (table.records, signed.encode("ascii"))
        part.etag = sha256(signed.encode("ascii")).hexdigest()[:32]


def _made(
    old: SnapshotState | None, entries: Sequence[Revocation], salt: str, now: int
) -> dict[str, SnapshotPart]:
    """The parts with one table each. Runs in a thread."""
    parts = {rule.ALL: SnapshotPart(tables=[], kinds=set())}
    if old is not None:
        for name, part in old.parts.items():
            parts[name] = SnapshotPart(tables=[part.table()], kinds=set(part.kinds))
    news: dict[str, dict[bytes, int]] = {}
    names: dict[str | None, str] = {}
    for entry in entries:
        name = names.get(entry.audience) or names.setdefault(entry.audience, rule.part_name(entry.audience))
        part = parts.get(name)
        if part is None:
            part = parts[name] = SnapshotPart(tables=[], kinds=set())
        part.kinds.add(entry.kind)
        fresh = news.setdefault(name, {})
        key, value = rule.record(salt, entry)
        earlier = fresh.get(key)
        fresh[key] = value if earlier is None else both(earlier, value)
        if len(fresh) >= _FLUSH:
            part.tables.append(merged((), fresh, now))
            fresh.clear()
            time.sleep(_PAUSE)
    for name, part in parts.items():
        part.tables = [merged(part.tables, news.get(name, {}), now, lambda: time.sleep(_PAUSE))]
    return parts
