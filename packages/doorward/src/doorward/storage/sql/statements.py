"""Writes as values, and the engine interface that the store modules use.

Statements are constants with `?` for values; they run on every engine (an engine that numbers its values translates
once).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol, final

import msgspec
from msgspec import Struct

Param = str | int | bytes | None
Row = tuple[Any, ...]
Query = tuple[str, tuple[Param, ...]]

# A statement, its values, and how many rows it must change (None: any number).
Step = tuple[str, tuple[Param, ...], int | None]

LOST = -1

MOST_LEFT_OUT = 3
"""The most receivers whose messages a look at an outbox leaves out."""


@final
class Write(Struct, frozen=True, gc=False):
    """One change as a value: the statements that make it, in order."""

    steps: tuple[Step, ...]


class Database(Protocol):
    """Engine interface. All methods raise `StoreUnavailable` when the database does not answer."""

    @property
    def history(self) -> str:
        """SQL expression added to a number that grows in commit order, so that no number is issued twice after a
        failover (`model.revocation.same_history`)."""
        ...

    async def one(self, sql: str, params: tuple[Param, ...]) -> Row | None:
        """The only row, or None."""
        ...

    async def all(self, sql: str, params: tuple[Param, ...]) -> Sequence[Row]: ...

    async def snapshot(self, *queries: Query) -> Sequence[Sequence[Row]]:
        """The rows of several queries at one moment."""
        ...

    async def apply(self, steps: Sequence[Step]) -> int:
        """Run all steps in one durable transaction. Returns the number of rows changed, or `LOST` when nothing was
        written because a step changed another number of rows than it must, or refers to a deleted row. Raises
        `StoreConflict`."""
        ...


def told_by(history: str, sql: str) -> str:
    """The statement with `history` (`Database.history`) in place of the constant 0 that is added to a number."""
    return sql.replace("value + 0", f"value + {history}")


def write(sql: str, *params: Param) -> Write:
    """An unguarded change of one statement."""
    return Write(((sql, params, None),))


def guarded(sql: str, *params: Param) -> Write:
    """A change of one statement that loses unless it changes exactly one row."""
    return Write(((sql, params, 1),))


_encoder = msgspec.json.Encoder(order="deterministic")


def to_json(value: object) -> str:
    """JSON text, the same for equal values in every process: a guard may compare it."""
    return _encoder.encode(value).decode()


def left_out(receivers: Collection[str]) -> tuple[str, ...]:
    """The receivers for a statement with `MOST_LEFT_OUT` places."""
    if len(receivers) > MOST_LEFT_OUT:
        raise ValueError(len(receivers))
    return (*receivers, *[""] * (MOST_LEFT_OUT - len(receivers)))
