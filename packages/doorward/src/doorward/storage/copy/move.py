"""Move of a database to another engine or server: complete, or resumable after any interruption.

The source takes no writes while it is copied (`fence.py`), piece by piece in key order (`chunks.py`), and the target is
marked so that no server uses it before it is complete. At the end every table of both is read once more. Only when
counts and checksums are equal is the source closed for ever and then the mark removed, in this order, so that both can
never be served at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from doorward.core.model.copied import MoveResult, TableSum
from doorward.core.ports.progress import Progress
from doorward.storage.copy import chunks
from doorward.storage.copy.encode import checksum
from doorward.storage.copy.fence import Fence
from doorward.storage.copy.side import CHUNK, Side, count, key_of, pages, summed, versions
from doorward.storage.copy.tables import APPEND_ONLY, ARRIVING, MOVED, SEEDED, CopyRefused, Table, shared
from doorward.storage.sql.audit_end import KEPT_FROM
from doorward.storage.sql.database_state import PUT_META
from doorward.storage.sql.migrate import READABLE, SAY_READABLE
from doorward.storage.sql.statements import Row

_MARK = "SELECT value FROM meta WHERE name = ?"
_PUT_MARK = "INSERT INTO meta (name, value) VALUES (?, ?)"
_REMOVE_MARK = "DELETE FROM meta WHERE name = ?"


async def move(
    source: Side, target: Side, *, owner: str, progress: Progress, size: int = CHUNK
) -> MoveResult:
    """Copy everything from source to target, then let the target take over. `owner` is random for each run; `size`:
    rows in a piece.

    Raises `CopyRefused`; then, as after any other interruption that can be handled, the source takes writes again, and
    a later call resumes where this one stopped.
    """
    gone = await may_leave(source, target.place)
    tables = shared(await source.tables(), await target.tables())
    await _same_schema(source, target)
    await _begin(source, target, tables, resumed=gone is not None)
    fence = Fence(source, tables, owner)
    if gone is not None:
        # the source was closed for ever, and the mover was killed before it could open the target
        return await _finish(source, target, tables, None, progress, copied=0, kept=0)
    try:
        await fence.up()
        copied, kept = await _copy(source, target, tables, fence, progress, size)
        return await _finish(source, target, tables, fence, progress, copied=copied, kept=kept)
    except BaseException:
        # if the source no longer answers, its fence ends by itself when the mover's time has passed
        with suppress(CopyRefused):
            if await _mark(source, MOVED) is None:
                await fence.down()
        raise


async def may_leave(source: Side, target: str) -> str | None:
    """The place that the source has moved to, if that is the target. Raises `CopyRefused` when there is nothing to move
    here."""
    if not await versions(source):
        raise CopyRefused(f"{source.place} is no database of Doorward's.", "Name the one of the settings.")
    gone = await _mark(source, MOVED)
    if gone is not None and gone != target:
        raise CopyRefused(f"{source.place} has moved to {gone} already.", f"Set `database` to {gone}.")
    if await _mark(source, ARRIVING) is not None:
        raise CopyRefused(f"{source.place} is not complete itself.", "Finish the move into it first.")
    return gone


async def _same_schema(source: Side, target: Side) -> None:
    have, want = await versions(source), await versions(target)
    if have != want:
        raise CopyRefused(
            f"{source.place} has schema version {len(have)}, {target.place} has {len(want)}.",
            "Run doorward migrate on both with this program, then try again.",
        )


async def _mark(side: Side, name: str) -> str | None:
    rows = await side.rows(_MARK, (name,))
    return rows[0][0] if rows else None


async def _begin(source: Side, target: Side, tables: Sequence[Table], *, resumed: bool) -> None:
    """Mark the target, unless it is already marked as arriving from here. Raises `CopyRefused` for one that is in use."""
    arriving = await _mark(target, ARRIVING)
    if arriving == source.place:
        async with target.transaction():
            await target.loosen()
            await _let_go(source, target)
        return
    if resumed:
        raise CopyRefused(
            f"{source.place} has moved to {target.place} already.", "Serve that one: everything is there."
        )
    if arriving is not None:
        raise CopyRefused(
            f"{target.place} is being filled from {arriving}.",
            "Finish that move, or name an empty database.",
        )
    if await _mark(target, MOVED) is not None:
        raise CopyRefused(f"{target.place} has itself moved elsewhere.", "Name an empty database.")
    for table in tables:
        if table.name not in SEEDED and await count(target, table):
            raise CopyRefused(
                f"{target.place} is not empty: there are rows in {table.name}.",
                "Name an empty database; doorward makes its tables.",
            )
    async with target.transaction():
        await target.run(_PUT_MARK, (ARRIVING, source.place))
        await target.run(chunks.CREATE.format(bytes=target.bytes_type))
        for name in SEEDED:
            await target.run(f"DELETE FROM {name}")  # noqa: S608 - names from this package
        await target.loosen()


async def _let_go(source: Side, target: Side) -> None:
    """Remove old audit lines from the target: a source that was served in the meantime may have removed them."""
    for row in await source.rows(_MARK, (KEPT_FROM,)):
        await target.run(PUT_META, (KEPT_FROM, row[0]))


async def _copy(
    source: Side, target: Side, tables: Sequence[Table], fence: Fence, progress: Progress, size: int
) -> tuple[int, int]:
    progress.begin("copy", sum([await count(source, table) for table in tables]))
    copied = kept = 0
    for table in tables:
        stay: list[chunks.Chunk] = []
        # delete all changed pieces first, so that no new row conflicts with an old one
        for chunk in await chunks.finished(target, table):
            await fence.keep()
            if await chunks.holds(source, table, chunk):
                stay.append(chunk)
                kept += chunk.amount
                progress.step(table.name, chunk.amount)
                continue
            async with target.transaction():
                await chunks.forget(target, table, chunk)
        for after, upto in chunks.gaps(stay):
            begin = after
            async for rows in pages(source, table, after, upto, size=size):
                await fence.keep()
                chunk = chunks.Chunk(begin, key_of(table, rows[-1]), len(rows), checksum(rows))
                await fence.during(_write(target, table, rows, chunk))
                begin = chunk.upto
                copied += len(rows)
                progress.step(table.name, len(rows))
    return copied, kept


async def _write(target: Side, table: Table, rows: Sequence[Row], chunk: chunks.Chunk) -> None:
    async with target.transaction():
        await target.insert(table, rows, missing_only=table.name in APPEND_ONLY)
        await chunks.record(target, table, chunk)


async def _tighten(target: Side) -> None:
    async with target.transaction():
        await target.tighten()


async def _finish(
    source: Side,
    target: Side,
    tables: Sequence[Table],
    fence: Fence | None,
    progress: Progress,
    *,
    copied: int,
    kept: int,
) -> MoveResult:
    total = sum([await count(source, table) for table in tables])
    progress.begin("compare", 2 * total)
    compared = [await _compare(source, target, table, fence, progress) for table in tables]
    await (fence.during(_tighten(target)) if fence is not None else _tighten(target))
    # a newer version may have migrated the source meanwhile and made tables that were not copied
    await _same_schema(source, target)
    if fence is not None:
        await fence.keep()
        await fence.for_ever(target.place)
    async with target.transaction():
        for row in await source.rows(READABLE):
            await target.run(SAY_READABLE, (row[0],))
        await target.run(chunks.DROP)
        await target.run(_REMOVE_MARK, (ARRIVING,))
    return MoveResult(source.place, target.place, total, copied, kept, tuple(compared))


async def _compare(
    source: Side, target: Side, table: Table, fence: Fence | None, progress: Progress
) -> TableSum:
    keep = fence.keep if fence is not None else None
    here, there = [await summed(side, table, progress, keep) for side in (source, target)]
    if (here.rows, here.checksum()) != (there.rows, there.checksum()):
        raise CopyRefused(
            f"{table.name} differs after copying: {here.rows} rows in {source.place}, {there.rows} in {target.place},"
            " or other ones.",
            "Name a new, empty database as the target; the source is unharmed and takes writes again.",
        )
    return TableSum(table.name, here.rows, here.checksum().hex())
