"""Progress of a copy: one row on the target for each finished piece of a table (first key, last key, rows, checksum).

The row is committed with the rows that it describes, so that a killed copy resumes where it was. The source may have
changed since: `kept` says which pieces are still valid; the others are copied again.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from doorward.storage.copy.encode import Key, Running, decode_key, encode_key
from doorward.storage.copy.side import Side, clear, pages
from doorward.storage.copy.tables import Table

CREATE: Final = (
    "CREATE TABLE IF NOT EXISTS copy_chunks (tab TEXT NOT NULL, upto {bytes} NOT NULL, after {bytes},"
    " amount BIGINT NOT NULL, checksum {bytes} NOT NULL, PRIMARY KEY (tab, upto))"
)
DROP: Final = "DROP TABLE IF EXISTS copy_chunks"
_ALL: Final = "SELECT after, upto, amount, checksum FROM copy_chunks WHERE tab = ?"
_PUT: Final = "INSERT INTO copy_chunks (tab, upto, after, amount, checksum) VALUES (?, ?, ?, ?, ?)"
_REMOVE: Final = "DELETE FROM copy_chunks WHERE tab = ? AND upto = ?"


class Chunk(Struct, frozen=True):
    """A finished piece: the rows after `after` (None: from the first) up to and including `upto`."""

    after: Key | None
    upto: Key
    amount: int
    checksum: bytes


async def finished(target: Side, table: Table) -> list[Chunk]:
    """The recorded pieces, in order."""
    rows = await target.rows(_ALL, (table.name,))
    chunks = [
        Chunk(None if after is None else decode_key(after), decode_key(upto), amount, checksum)
        for after, upto, amount, checksum in rows
    ]
    return sorted(chunks, key=_order)


async def record(target: Side, table: Table, chunk: Chunk) -> None:
    """Record a piece, in the transaction that writes its rows."""
    after = None if chunk.after is None else encode_key(chunk.after)
    await target.run(_PUT, (table.name, encode_key(chunk.upto), after, chunk.amount, chunk.checksum))


async def holds(source: Side, table: Table, chunk: Chunk) -> bool:
    """Whether the source still has the same rows in this range as when they were copied."""
    now = Running()
    async for rows in pages(source, table, chunk.after, chunk.upto):
        now.add(rows)
    return now.rows == chunk.amount and now.checksum() == chunk.checksum


async def forget(target: Side, table: Table, chunk: Chunk) -> None:
    """Delete a piece and its rows, inside a transaction."""
    await clear(target, table, chunk.after, chunk.upto)
    await target.run(_REMOVE, (table.name, encode_key(chunk.upto)))


def gaps(kept: list[Chunk]) -> list[tuple[Key | None, Key | None]]:
    """The ranges still to be copied, between the valid pieces and after the last: the rows after the first key (None: from the first
    row) up to and including the second (None: to the last)."""
    found: list[tuple[Key | None, Key | None]] = []
    reached: Key | None = None
    for chunk in kept:
        if chunk.after != reached:
            found.append((reached, chunk.after))
        reached = chunk.upto
    return [*found, (reached, None)]


def _order(chunk: Chunk) -> tuple[str | int | bytes, ...]:
    # keys are never empty, and each part has one type; text sorts by code points, which is the order of its bytes
    return tuple(part if part is not None else "" for part in chunk.upto)
