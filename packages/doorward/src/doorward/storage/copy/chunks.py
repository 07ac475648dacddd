"""How far is a copy? A row on the target for each finished piece of a table: from which key, to which, how many rows, which checksum.

It is committed with the rows that it speaks of, so that a copy that was killed goes on where it was. What a piece looked like at
the source then may have changed since: `kept` says which pieces still hold, and the others are copied anew.
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
    """A finished piece: the rows after `after` (None: from the first) up to and with `upto`."""

    after: Key | None
    upto: Key
    amount: int
    checksum: bytes


class Gap(Struct, frozen=True):
    """What is still to be copied: the rows after `after` up to and with `upto` (None: to the last)."""

    after: Key | None
    upto: Key | None


async def finished(target: Side, table: Table) -> list[Chunk]:
    """The pieces that are written down, in order."""
    rows = await target.rows(_ALL, (table.name,))
    chunks = [
        Chunk(None if after is None else decode_key(after), decode_key(upto), amount, checksum)
        for after, upto, amount, checksum in rows
    ]
    return sorted(chunks, key=_order)


async def record(target: Side, table: Table, chunk: Chunk) -> None:
    """Write a piece down. In the transaction that writes its rows."""
    after = None if chunk.after is None else encode_key(chunk.after)
    await target.run(_PUT, (table.name, encode_key(chunk.upto), after, chunk.amount, chunk.checksum))


async def holds(source: Side, table: Table, chunk: Chunk) -> bool:
    """Whether the source still has in this range what was copied then."""
    now = Running()
    async for rows in pages(source, table, chunk.after, chunk.upto):
        now.add(rows)
    return now.rows == chunk.amount and now.checksum() == chunk.checksum


async def forget(target: Side, table: Table, chunk: Chunk) -> None:
    """Take a piece away, rows and all. In a transaction."""
    await clear(target, table, chunk.after, chunk.upto)
    await target.run(_REMOVE, (table.name, encode_key(chunk.upto)))


def gaps(kept: list[Chunk]) -> list[Gap]:
    """What lies between the pieces that stay, and after the last."""
    found: list[Gap] = []
    reached: Key | None = None
    for chunk in kept:
        if chunk.after != reached:
            found.append(Gap(reached, chunk.after))
        reached = chunk.upto
    return [*found, Gap(reached, None)]


def _order(chunk: Chunk) -> tuple[str | int | bytes, ...]:
    # keys are never empty, and of one type in each place; text sorts by code points, which is the order of its bytes
    return tuple(part if part is not None else "" for part in chunk.upto)
