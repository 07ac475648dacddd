"""Backup format: a sequence of pieces; first the list of tables, then their rows, each table with its totals.

The pieces are msgpack, each an array that begins with its tag; a row is an array of its values, encoded as for the
checksum (`encode.py`). The tags are part of every existing backup, so they are constants and not class names.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, final

import msgspec
from msgspec import Struct

from doorward.core.model.copied import TableSum
from doorward.core.ports.progress import Progress
from doorward.storage.copy.encode import Running
from doorward.storage.copy.side import Side, Version, count, pages, versions
from doorward.storage.copy.tables import ARRIVING, CopyRefused, Table, in_order


class Tables(Struct, frozen=True, array_like=True, tag="Tables"):
    """The first piece: the applied migrations, the tables in the order to fill them, and the number of rows to come."""

    versions: tuple[Version, ...]
    tables: tuple[Table, ...]
    amount: int


class Rows(Struct, frozen=True, array_like=True, tag="Rows"):
    """Rows of one table, in order."""

    table: str
    rows: list[tuple[Any, ...]]


class End(Struct, frozen=True, array_like=True, tag="End"):
    """The end of a table, with its totals."""

    table: str
    amount: int
    checksum: bytes


class All(Struct, frozen=True, array_like=True, tag="All"):
    """The last piece of a backup."""

    amount: int


Piece = Tables | Rows | End | All

encode_piece = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[Piece] = msgspec.msgpack.Decoder(Piece)


def decode_piece(data: bytes) -> Piece:
    """Decode a piece. Raises `CopyRefused` for invalid data."""
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError as problem:
        raise CopyRefused("The backup holds something that this version does not know.") from problem


async def dump(side: Side, progress: Progress) -> AsyncGenerator[Piece]:
    """All pieces of a database at one moment. Other processes can write meanwhile."""
    async with side.snapshot():
        applied, tables = await versions(side), await side.tables()
        if not applied:
            raise CopyRefused(
                f"{side.place} is no database of Doorward's.", "Set `database` to the right one."
            )
        if await side.rows("SELECT 1 FROM meta WHERE name = ?", (ARRIVING,)):
            raise CopyRefused(f"{side.place} is not complete itself.", "Finish the move into it first.")
        expected = sum([await count(side, table) for table in tables])
        progress.begin("back up", expected)
        yield Tables(applied, tables, expected)
        amount = 0
        for table in tables:
            running = Running()
            async for rows in pages(side, table):
                running.add(rows)
                progress.step(table.name, len(rows))
                yield Rows(table.name, rows)
            amount += running.rows
            yield End(table.name, running.rows, running.checksum())
        yield All(amount)


@final
class Reading:
    """State of reading a backup. Every piece is checked here before it is used."""

    __slots__ = ("_now", "_running", "sums", "tables", "whole")

    def __init__(self) -> None:
        self.tables: tuple[Table, ...] = ()
        self.sums: list[TableSum] = []
        self.whole = False
        self._running = Running()
        self._now = 0

    @property
    def rows(self) -> int:
        """The number of rows in the complete tables."""
        return sum(one.rows for one in self.sums)

    def take(self, piece: Piece) -> None:
        """Raises `CopyRefused` when the piece is not the expected one, or a checksum differs."""
        if isinstance(piece, Tables):
            self._must(not self.tables and bool(piece.tables))
            self.tables = in_order(piece.tables)
            self._must(self.tables == piece.tables)
            return
        self._must(not self.whole)
        if isinstance(piece, All):
            self._must(self._now == len(self.tables) and piece.amount == self.rows)
            self.whole = True
            return
        self._must(self._now < len(self.tables) and self.tables[self._now].name == piece.table)
        if isinstance(piece, Rows):
            self._running.add(piece.rows)
            return
        self._must((piece.amount, piece.checksum) == (self._running.rows, self._running.checksum()))
        self.sums.append(TableSum(piece.table, piece.amount, piece.checksum.hex()))
        self._running = Running()
        self._now += 1

    @staticmethod
    def _must(right: bool) -> None:
        if not right:
            raise CopyRefused("The backup's own sums do not add up: it is damaged.", "Take another backup.")
