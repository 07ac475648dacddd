"""`doorward move`: choice of the two databases, and the checks before the copy."""

from __future__ import annotations

import os
from contextlib import aclosing
from pathlib import Path

from doorward.adapters.clock import SystemClock
from doorward.adapters.random import SystemRandom
from doorward.core.errors import OperatorError
from doorward.core.model.copied import MoveResult
from doorward.core.ports.progress import Progress
from doorward.ops.audit import open_and_write_event
from doorward.settings.checks import database_problem
from doorward.storage.copy import fence
from doorward.storage.copy.move import may_leave, move
from doorward.storage.copy.open import open_side, plain
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.postgres.url import DatabaseUrl, is_postgres
from doorward.storage.sql.open import open_store, sqlite_path


async def run_move(options: PostgresOptions, source: str, target: str, progress: Progress) -> MoveResult:
    """Move; `options` are connection options. Raises `OperatorError`, `CopyRefused`, `StoreUnavailable`."""
    here, there = database_of(source), database_of(target)
    if plain(here) == plain(there):
        raise OperatorError("Source and target are the same database.", "Name two.")
    async with aclosing(await open_side(here, options)) as first:
        await may_leave(first, str(there))
        # created with its tables if it does not exist yet
        await (await open_store(there, postgres=options)).close()
        async with aclosing(await open_side(there, options)) as second:
            moved = await move(first, second, owner=SystemRandom().token(12), progress=progress)
    detail = {"from": moved.source, "rows": str(moved.rows)}
    await open_and_write_event(there, options, "database.moved", now=SystemClock().now(), detail=detail)
    return moved


async def run_release(options: PostgresOptions, source: str) -> bool:
    """Let a database be served and written again that has moved, or whose mover was killed. False when nothing kept it."""
    async with aclosing(await open_side(database_of(source), options)) as side:
        kept = await side.has("fence")
        await fence.lift(side, await side.tables())
    return kept


def database_of(text: str) -> str:
    """A database as a command names it: a path, a URL, or `env:NAME` for a variable that holds one, since every user of the
    machine can read arguments. Raises `OperatorError`."""
    given = text
    if text.startswith("env:"):
        name = text.removeprefix("env:")
        given = os.environ.get(name, "")
        if not given:
            raise OperatorError(
                f"The environment variable {name} is not set.", f"export {name}=postgresql://…"
            )
    problem = database_problem(given)
    if problem is not None:
        # the message omits the text itself: even an invalid URL may hold a password
        said, _, fix = problem.partition("; ")
        raise OperatorError(
            f"What the command names as a database {said}.", f"{fix[:1].upper()}{fix[1:]}." if fix else ""
        )
    if is_postgres(given):
        return DatabaseUrl(given)
    return str(Path(sqlite_path(given)).expanduser().absolute())
