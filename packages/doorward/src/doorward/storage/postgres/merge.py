"""Joined statements: those of one commit that PostgreSQL can run in parallel, sent as one in one round trip.

PostgreSQL runs data-modifying WITH clauses on one snapshot, so that no clause sees the changes of another. Statements
are joined only where that makes no difference: each is a `Statement`, which names its tables, and no two share a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from msgspec import Struct

from doorward.storage.postgres.text import numbered, numbered_from
from doorward.storage.sql.revocations import NEXT, NUMBER
from doorward.storage.sql.text import Statement, select

# Beyond this, planning the statement costs more than a transaction.
_MOST: Final = 24
_OVERTAKEN: Final = "another request was faster, nothing was changed"

Kind = tuple[str, int | None]
"""A statement without its values, and the number of rows that it must change (None: any number)."""


@final
class Group(Struct, frozen=True):
    """`count` statements that are sent as one. Several return a row with the number of changed rows, and fail where a
    guard loses. One has that number in its command tag; `must` is its expected value. `whole`: either all its required
    changes are made, or none."""

    sql: str
    count: int = 1
    must: int | None = None
    whole: bool = True


def groups(kinds: Sequence[Kind]) -> tuple[Group, ...]:
    """The statements in as few groups as possible, in order."""
    found: list[list[Kind]] = []
    for kind in kinds:
        if found and len(found[-1]) < _MOST and all(_independent(sql, kind[0]) for sql, _ in found[-1]):
            found[-1].append(kind)
        else:
            found.append([kind])
    return tuple(_joined(members) if len(members) > 1 else _alone(*members[0]) for members in found)


def apart(kinds: Sequence[Kind]) -> tuple[Group, ...]:
    """Each statement in a group of its own: a lost guard must be known before the next statement runs."""
    return tuple(_alone(*kind) for kind in kinds)


def _independent(one: str, other: str) -> bool:
    """Whether `other`, which comes later, need not see the changes of `one`, and changes no row that `one` changes."""
    if not (isinstance(one, Statement) and isinstance(other, Statement)):
        return False
    if one.tables.isdisjoint(other.tables):
        return True
    # Two inserts add two rows. If they have one key, the database refuses the second, and the statements then run one
    # by one. The new counter value is passed on by name.
    return (one.adds and one == other) or (one == NEXT[0] and NUMBER in other)


def _alone(sql: str, must: int | None) -> Group:
    return Group(numbered(sql), must=must, whole=must is None or (must == 1 and isinstance(sql, Statement)))


def _joined(members: Sequence[Kind]) -> Group:
    clauses: list[str] = []
    guards: list[str] = []
    raised = NUMBER
    number = 1
    for place, (sql, must) in enumerate(members):
        text, number = numbered_from(sql.replace(NUMBER, raised), number)
        returning = "1"
        if sql == NEXT[0]:
            returning = "value"
            raised = f"({select('value', f's{place}')})"
        clauses.append(f"s{place} AS ({text} RETURNING {returning})")
        if must is not None:
            guards.append(f"n{place} = {must}")
    counts = ", ".join(f"({select('count(*)', f's{place}')}) AS n{place}" for place in range(len(members)))
    total = " + ".join(f"n{place}" for place in range(len(members)))
    answer = total
    if guards:
        # A text that is not a number: the statement fails and undoes itself, and the database log shows the reason. It
        # asks for no other count: an insert that has not run yet must not run into the winner's row.
        lost = guards[0].partition(" ")[0]
        answer = f"CASE WHEN {' AND '.join(guards)} THEN {total} ELSE CAST('{_OVERTAKEN} ' || {lost} AS bigint) END"
    return Group(
        f"WITH {', '.join(clauses)} SELECT {answer} FROM (SELECT {counts}) AS n",  # noqa: S608 - constants of this package
        len(members),
    )


def overtaken(state: str | None, message: str) -> bool:
    """Whether an error is the one that joined statements raise when a guard loses."""
    return state == "22P02" and _OVERTAKEN in message
