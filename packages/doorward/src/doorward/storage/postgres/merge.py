"""Joined statements: those of one commit that PostgreSQL can run side by side, sent as one in one round trip.

PostgreSQL runs data-modifying WITH clauses on one snapshot, so that none sees what another one changes. Statements are joined only
where that makes no difference: where each is a `Statement`, which names its tables, and no two of them share one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from msgspec import Struct

from doorward.storage.postgres.text import numbered, numbered_from
from doorward.storage.sql.revocations import NEXT, NUMBER
from doorward.storage.sql.text import Statement, select

# Beyond that a statement is no more worth planning than a transaction.
_MOST: Final = 24
_OVERTAKEN: Final = "another request was faster, nothing was changed"

Kind = tuple[str, int | None]
"""A statement without its values, and the number of rows that it must change (None: any number)."""


@final
class Group(Struct, frozen=True):
    """`count` statements that are sent as one. Several answer a row with the number of changed rows, and fail where a guard loses. One
    has that number in its command tag; `must` is what it must be. `whole`: either all that it must change is changed, or nothing is."""

    sql: str
    count: int = 1
    must: int | None = None
    whole: bool = True


def groups(kinds: Sequence[Kind]) -> tuple[Group, ...]:
    """Statements in as few groups as possible, in order."""
    found: list[list[Kind]] = []
    for kind in kinds:
        if found and len(found[-1]) < _MOST and all(_independent(sql, kind[0]) for sql, _ in found[-1]):
            found[-1].append(kind)
        else:
            found.append([kind])
    return tuple(_joined(members) if len(members) > 1 else _alone(*members[0]) for members in found)


def apart(kinds: Sequence[Kind]) -> tuple[Group, ...]:
    """The same, each statement alone: where one that loses must be seen to lose before the next one begins."""
    return tuple(_alone(*kind) for kind in kinds)


def _independent(one: str, other: str) -> bool:
    """Whether `other`, which comes later, need not see what `one` changes, and has no row to change that `one` changes too."""
    if not (isinstance(one, Statement) and isinstance(other, Statement)):
        return False
    if one.tables.isdisjoint(other.tables):
        return True
    # Two rows are two rows. Should they have one key, the database refuses the second, and the statements then go one by one.
    # What the counter was raised to is handed over by name.
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
        # A text that is no number: the statement fails, undoes itself, and the database's log says why in words. It asks for no
        # other count: an insert that has not run yet is not made to meet the winner's row.
        lost = guards[0].partition(" ")[0]
        answer = f"CASE WHEN {' AND '.join(guards)} THEN {total} ELSE CAST('{_OVERTAKEN} ' || {lost} AS bigint) END"
    return Group(
        f"WITH {', '.join(clauses)} SELECT {answer} FROM (SELECT {counts}) AS n",  # noqa: S608 - constants of this package
        len(members),
    )


def overtaken(state: str | None, message: str) -> bool:
    """Whether an error is the one that joined statements make when a guard loses."""
    return state == "22P02" and _OVERTAKEN in message
