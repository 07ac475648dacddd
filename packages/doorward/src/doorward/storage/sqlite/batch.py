"""Outcome of one commit in a shared transaction: done, lost, or failed, independent of the others."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import final

from doorward.core.errors import StoreConflict, StoreUnavailable
from doorward.storage.copy.fence import FENCED
from doorward.storage.sql.statements import LOST, Param, Step

# Errors that concern the whole database and not one statement of one commit.
_BROKEN = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_SCHEMA,
    }
)


class Redo(Exception):
    """A commit without a savepoint left partial changes: the batch must start again with savepoints."""


@final
class WaitingCommit:
    """One waiting commit, and then its outcome: rows changed, `LOST`, or the exception to raise."""

    __slots__ = ("future", "loop", "outcome", "savepoint", "steps")

    def __init__(self, steps: Sequence[Step], loop: asyncio.AbstractEventLoop) -> None:
        self.steps = steps
        self.loop = loop
        self.future: asyncio.Future[int] = loop.create_future()
        self.outcome: int | Exception = LOST
        # a guard in the first statement leaves nothing behind when it loses; a later one does
        self.savepoint = len(steps) > 1 and any(step[2] is not None for step in steps[1:])


def run(
    execute: Callable[[str, tuple[Param, ...]], sqlite3.Cursor],
    job: WaitingCommit,
    *,
    careful: bool,
) -> None:
    """Run the statements of one commit inside the open transaction and record its outcome.

    Raises `Redo` when it left changes that only a savepoint could undo, and `sqlite3.Error` when the database is
    broken.
    """
    steps = job.steps
    savepoint = job.savepoint or careful
    if savepoint:
        execute("SAVEPOINT one", ())
    done = 0
    changed = 0
    try:
        for sql, params, must in steps:
            count = execute(sql, params).rowcount
            if must is not None and count != must:
                break
            changed += count
            done += 1
        else:
            job.outcome = changed
            if savepoint:
                execute("RELEASE one", ())
            return
        job.outcome = LOST
        clean = done == 0 and count == 0
    except Exception as problem:
        outcome = _verdict(problem)
        if outcome is None:
            raise
        job.outcome = outcome
        # a failed statement undoes itself
        clean = done == 0
    if savepoint:
        execute("ROLLBACK TO one", ())
        execute("RELEASE one", ())
    elif not clean:
        raise Redo


def _verdict(problem: Exception) -> int | Exception | None:
    """The meaning of a failed statement for its commit; None when the whole database failed."""
    if isinstance(problem, sqlite3.Error) and not isinstance(problem, sqlite3.ProgrammingError):
        code: int = getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code & 0xFF in _BROKEN:
            return None
        if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
            return LOST
        if code == sqlite3.SQLITE_CONSTRAINT_TRIGGER and str(problem) == FENCED:
            refused: Exception = StoreUnavailable(FENCED)
        elif code & 0xFF == sqlite3.SQLITE_CONSTRAINT:
            refused = StoreConflict(f"the database refused a change: {problem}")
        else:
            refused = StoreUnavailable(f"the database did not take a statement: {problem}")
        refused.__cause__ = problem
        return refused
    # a value that the database cannot store: an integer beyond 64 bits, text that is not Unicode, an unsupported type
    return problem
