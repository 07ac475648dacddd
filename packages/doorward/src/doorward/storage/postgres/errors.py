"""What does it mean for a request that PostgreSQL, or the way to it, failed? By SQLSTATE, since texts are translated."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - it has none

from doorward.core.errors import StoreConflict, StoreUnavailable

_FOREIGN_KEY = "23503"
# such a row is there already; the same statement has changed it already; the engine does not do this in one statement
_APART = frozenset({"23505", "21000", "0A000"})
# serialization failure, deadlock
_CONTENDED = frozenset({"40001", "40P01"})
# and a cached plan that a migration overtook: the database says itself that nothing was done
_AGAIN = _CONTENDED | {"0A000"}
READ_ONLY = "25006"
# the server goes or has gone, or this connection is of no use any more
_GONE = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "25P04", READ_ONLY})
_NOT_UTF8 = "22021"
_CANNOT_BE_SENT = "22000"


def state_of(problem: BaseException) -> str | None:
    """The SQLSTATE of an error that the server answered; None for one that arose on this side."""
    return (
        cast("str | None", getattr(problem, "sqlstate", None))
        if isinstance(problem, asyncpg.PostgresError)
        else None
    )


def again(problem: BaseException) -> bool:
    """Whether the same thing may be tried again at once, since it is certain that nothing was done."""
    state = state_of(problem)
    return state in _AGAIN or state == READ_ONLY


def contended(problem: BaseException) -> bool:
    """Whether others at the same rows were quicker: each time at least one of them got through, so that trying on leads somewhere."""
    return state_of(problem) in _CONTENDED


def nobody_home(problem: BaseException) -> bool:
    """Whether this connection, and maybe the server behind all of them, is of no use any more."""
    state = state_of(problem)
    if state is not None:
        return state in _GONE or state.startswith("08")
    # what the client library says about itself (a value it cannot encode) concerns no connection
    return not (isinstance(problem, asyncpg.InterfaceError) and isinstance(problem, ValueError))


def unholdable(problem: BaseException) -> Exception | None:
    """The reason why no row can hold a value: text that is not Unicode, a number beyond 64 bits. None: it is something else."""
    cause = problem.__cause__
    return cause if isinstance(cause, UnicodeEncodeError | OverflowError) else None


def not_text(problem: BaseException) -> bool:
    """Whether a text was refused for the zero byte in it, the one Unicode character that PostgreSQL does not store."""
    return state_of(problem) == _NOT_UTF8


def row_is_gone(problem: BaseException) -> bool:
    """Whether a write refers to a row that is not there."""
    return state_of(problem) == _FOREIGN_KEY


def better_apart(problem: BaseException) -> bool:
    """Whether statements that were joined may fare better one by one: a row was there that one of them makes, or they met in one."""
    return state_of(problem) in _APART


def verdict(problem: BaseException, doing: str) -> Exception:
    """What to raise to the caller, whose text names no value and no password."""
    state = state_of(problem)
    if state is not None and state.startswith("23"):
        return StoreConflict(f"the database refused a change: {_line(problem)}")
    if isinstance(problem, TimeoutError | asyncio.TimeoutError):
        return StoreUnavailable(f"the database {doing}: no answer in time")
    return StoreUnavailable(f"the database {doing}: {_line(problem)}")


def _line(problem: BaseException) -> str:
    if state_of(problem) == _CANNOT_BE_SENT:
        # the client library's own, whose text repeats the value
        return type(problem).__name__
    message: Any = getattr(problem, "message", None)
    text = message if isinstance(message, str) else str(problem)
    state = state_of(problem)
    return f"{' '.join(text.split()) or type(problem).__name__}{f' ({state})' if state else ''}"
