"""PostgreSQL errors and their meaning for a request, by SQLSTATE, since texts are translated."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - it has none

from doorward.core.errors import StoreConflict, StoreUnavailable

_FOREIGN_KEY = "23503"
# duplicate key; the same statement has already changed the row; not supported in one statement
_APART = frozenset({"23505", "21000", "0A000"})
# serialization failure, deadlock
_CONTENDED = frozenset({"40001", "40P01"})
# and a cached plan made invalid by a migration: the database itself reports that nothing was done
_AGAIN = _CONTENDED | {"0A000"}
READ_ONLY = "25006"
# the server shuts down or is gone, or this connection is unusable
_GONE = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "25P04", READ_ONLY})
DOES_NOT_ANSWER = "does not answer"
_NOT_UTF8 = "22021"
_CANNOT_BE_SENT = "22000"


def state_of(problem: BaseException) -> str | None:
    """The SQLSTATE of an error that the server returned; None for a local one."""
    return (
        cast("str | None", getattr(problem, "sqlstate", None))
        if isinstance(problem, asyncpg.PostgresError)
        else None
    )


def again(problem: BaseException) -> bool:
    """Whether an immediate retry is safe, since nothing was written."""
    state = state_of(problem)
    return state in _AGAIN or state == READ_ONLY


def contended(problem: BaseException) -> bool:
    """Whether the error is contention on the same rows: one of the writers succeeds each time, so retries make
    progress."""
    return state_of(problem) in _CONTENDED


def nobody_home(problem: BaseException) -> bool:
    """Whether this connection, and maybe the server behind all of them, is unusable."""
    state = state_of(problem)
    if state is not None:
        return state in _GONE or state.startswith("08")
    # the client library's own errors about a value (one that it cannot encode) do not concern the connection
    return not (isinstance(problem, asyncpg.InterfaceError) and isinstance(problem, ValueError))


def unholdable(problem: BaseException) -> Exception | None:
    """The reason why no row can store a value: text that is not Unicode, a number beyond 64 bits. None for other
    errors."""
    cause = problem.__cause__
    return cause if isinstance(cause, UnicodeEncodeError | OverflowError) else None


def not_text(problem: BaseException) -> bool:
    """Whether a text was refused for a zero byte, the one Unicode character that PostgreSQL does not store."""
    return state_of(problem) == _NOT_UTF8


def row_is_gone(problem: BaseException) -> bool:
    """Whether a write refers to a missing row."""
    return state_of(problem) == _FOREIGN_KEY


def better_apart(problem: BaseException) -> bool:
    """Whether joined statements may succeed one by one: one of them conflicted with an existing row, or two changed one
    row."""
    return state_of(problem) in _APART


def verdict(problem: BaseException, doing: str) -> Exception:
    """The exception for the caller; its text contains no value and no password."""
    state = state_of(problem)
    if state is not None and state.startswith("23"):
        return StoreConflict(f"the database refused a change: {_line(problem)}")
    if isinstance(problem, TimeoutError | asyncio.TimeoutError):
        return StoreUnavailable(f"the database {doing}: no answer in time")
    return StoreUnavailable(f"the database {doing}: {_line(problem)}")


def _line(problem: BaseException) -> str:
    if state_of(problem) == _CANNOT_BE_SENT:
        # an error of the client library, whose text repeats the value
        return type(problem).__name__
    message: Any = getattr(problem, "message", None)
    text = message if isinstance(message, str) else str(problem)
    state = state_of(problem)
    return f"{' '.join(text.split()) or type(problem).__name__}{f' ({state})' if state else ''}"
