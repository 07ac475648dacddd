"""Restore of a backup into an empty database, and the values that must differ afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from doorward.core.model.copied import TableSum
from doorward.core.model.session import EndReason
from doorward.core.ports.progress import Progress
from doorward.storage.copy.pieces import Piece, Reading, Rows, Tables
from doorward.storage.copy.side import Side, summed, versions
from doorward.storage.copy.tables import SEEDED, CopyRefused, Table, shared
from doorward.storage.sql.database_state import PUT_META

_RESTORED: Final[EndReason] = "restored"
_ENDING: Final = (
    "initial_access_tokens",
    "refresh_tokens",
    "authorization_codes",
    "sign_ins",
    "tickets",
    "sent_codes",
    "trusted_devices",
    "remembered_devices",
)


async def load(side: Side, pieces: Iterable[Piece], progress: Progress) -> Reading:
    """Fill the tables, then read them again and compare. The schema must be the backup's. Runs inside a transaction, or
    on a file that no other process has seen yet. Raises `CopyRefused`."""
    reading = Reading()
    tables: dict[str, Table] = {}
    for piece in pieces:
        reading.take(piece)
        if isinstance(piece, Tables):
            progress.begin("restore", piece.amount)
            tables = {table.name: table for table in shared(piece.tables, await side.tables())}
            for name in SEEDED:
                await side.run(f"DELETE FROM {name}")  # noqa: S608 - names from this package
        elif isinstance(piece, Rows):
            await side.insert(tables[piece.table], piece.rows)
            progress.step(piece.table, len(piece.rows))
    if not reading.whole:
        raise CopyRefused("The backup ends before its end.", "Take another backup.")
    progress.begin("compare", reading.rows)
    for one in reading.sums:
        await _compare(side, tables[one.table], one, progress)
    return reading


async def _compare(side: Side, table: Table, wanted: TableSum, progress: Progress) -> None:
    running = await summed(side, table, progress)
    if (running.rows, running.checksum().hex()) != (wanted.rows, wanted.checksum):
        raise CopyRefused(f"{table.name} is not in {side.place} as it is in the backup; nothing was changed.")


async def counters_of(side: Side) -> dict[str, int]:
    """The counters of a database that is about to be replaced."""
    if not await versions(side):
        return {}
    return {row[0]: row[1] for row in await side.rows("SELECT name, value FROM counters")}


async def begin_anew(side: Side, before: Mapping[str, int], feed: str) -> None:
    """Invalidate what other processes and APIs remember of the replaced database.

    The feed gets a new name, so that APIs reload all revocations instead of waiting for entries after a cursor that
    this database never issued. The counters continue above all earlier values, so that no process keeps a snapshot that
    has the same number.
    """
    await side.run(PUT_META, ("feed", feed))
    for name, value in await side.rows("SELECT name, value FROM counters"):
        await side.run(
            "UPDATE counters SET value = ? WHERE name = ?", (max(value, before.get(name, 0)) + 1, name)
        )


async def end_everything(side: Side, now: int) -> None:
    """End all sessions, grants, refresh tokens, API keys, codes, remembered devices and signing keys: no user stays signed in, no token stays
    valid, and every second factor is asked for."""
    await side.run(
        "UPDATE sessions SET ended_at = ?, end_reason = ? WHERE ended_at IS NULL", (now, _RESTORED)
    )
    await side.run("UPDATE grants SET ended_at = ?, end_reason = ? WHERE ended_at IS NULL", (now, _RESTORED))
    there = {table.name for table in await side.tables()}
    if "api_keys" in there:
        # one that was revoked after the backup would work again
        await side.run(
            "UPDATE api_keys SET ended_at = ?, end_reason = ? WHERE ended_at IS NULL", (now, _RESTORED)
        )
    for name in _ENDING:
        # a backup of an older schema has not all of them
        if name in there:
            await side.run(f"DELETE FROM {name}")  # noqa: S608 - names from this package
    await side.run(
        "UPDATE signing_keys SET state = 'revoked', retired_at = ? WHERE state <> 'revoked'", (now,)
    )
