"""Tables to copy and their order, and the schema that source and target must share.

Nothing is listed by hand: the schema is read from the database, so that a backup never misses the table of a later
migration.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from doorward.core.errors import StoreUnavailable
from doorward.storage.sql.audit_end import KEPT_FROM
from doorward.storage.sql.text import insert

Kind = Literal["text", "number", "bytes"]
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("TEXT", "text", "varchar"), "text"),
    **dict.fromkeys(("BIGINT", "int8", "int4"), "number"),
    **dict.fromkeys(("BLOB", "bytea"), "bytes"),
}

MOVED = "moved"
ARRIVING = "arriving"
MARKS = (MOVED, ARRIVING)
"""Names in `meta` that describe one database and not its content."""

_OF_ONE_DATABASE = (*MARKS, "schema.readable", KEPT_FROM)

BOOKKEEPING = frozenset(
    {
        "schema_migrations",
        "copy_chunks",
        "copy_constraints",
        "fence",
        "nodes",
        "answered_posts",
        "audit_unsealed",
    }
)
"""Tables about one database, of use for a few seconds, or filled by triggers: never copied."""

APPEND_ONLY = frozenset({"audit"})
"""Tables whose rows the database refuses to change, and to delete before they are old enough (`audit_end.py`)."""

_SEALED_MEANWHILE = (
    "ON CONFLICT (id) DO UPDATE SET address = excluded.address, user_agent = excluded.user_agent,"
    " detail = excluded.detail, personal = excluded.personal"
    " WHERE audit.personal IS NULL AND excluded.personal IS NOT NULL"
)

SEEDED = frozenset({"counters"})
"""Tables that have rows even in an unused database."""


class CopyRefused(StoreUnavailable):
    """Two databases cannot be copied into one another, or a copy failed. `fix` says what to do; neither text holds a
    secret."""

    def __init__(self, error: str, fix: str = "") -> None:
        self.error = error
        self.fix = fix
        super().__init__(error)


class Column(Struct, frozen=True):
    """A column and its kind."""

    name: str
    kind: Kind


def column_of(table: str, name: str, type_: str) -> Column:
    """The column of a type of either engine. Raises `CopyRefused` for a type that no schema of ours has."""
    if type_ not in _KINDS:
        raise CopyRefused(f"The column {table}.{name} has the type {type_}, which cannot be copied.")
    return Column(name, _KINDS[type_])


class Table(Struct, frozen=True):
    """A table: its columns, the columns of its primary key in order, and the tables that it refers to."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    refers: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    def insert(self, *, missing_only: bool) -> str:
        """An INSERT of a row; with `missing_only` an existing row stays as it is, but for an audit line in the form of older programs, which
        the source has sealed meanwhile."""
        kept = (
            _SEALED_MEANWHILE
            if self.name == "audit" and "personal" in self.names
            else "ON CONFLICT DO NOTHING"
        )
        return insert(self.name, ", ".join(self.names), kept if missing_only else "")

    @property
    def key_places(self) -> tuple[int, ...]:
        """The positions of the key columns in a row."""
        names = self.names
        return tuple(names.index(name) for name in self.key)

    @property
    def only(self) -> str:
        """A condition that every statement on the table must include; empty for most."""
        return f"name NOT IN {_OF_ONE_DATABASE}" if self.name == "meta" else ""


def in_order(tables: Iterable[Table]) -> tuple[Table, ...]:
    """Sorted by name, with referenced tables before those that refer to them. Raises `CopyRefused` for one without a key."""
    waiting = sorted(tables, key=lambda table: table.name)
    for table in waiting:
        if not table.key:
            raise CopyRefused(f"The table {table.name} has no primary key, so it cannot be read in order.")
    known = {table.name for table in waiting}
    done: list[Table] = []
    names: set[str] = set()
    while waiting:
        free = [t for t in waiting if all(r in names or r == t.name or r not in known for r in t.refers)]
        if not free:
            raise CopyRefused(
                f"The tables {', '.join(t.name for t in waiting)} refer to one another in a circle."
            )
        done += free
        names |= {table.name for table in free}
        waiting = [table for table in waiting if table.name not in names]
    return tuple(done)


def shared(source: Sequence[Table], target: Sequence[Table]) -> tuple[Table, ...]:
    """The tables that both have, in the order to fill them.

    The columns are the source's, in its order; the key is the shorter of the two (an engine that partitions a table
    needs the partition column in the key). Raises `CopyRefused` when a table or a column is on one side only, or has
    another kind there.
    """
    there = {table.name: table for table in target}
    here = {table.name for table in source}
    for name in sorted(here ^ set(there)):
        side = "source" if name in here else "target"
        raise CopyRefused(
            f"The table {name} is only in the {side}: the two databases do not have the same schema.",
            "Run doorward migrate on both with this program, then try again.",
        )
    common: list[Table] = []
    for table in source:
        other = there[table.name]
        if {(c.name, c.kind) for c in table.columns} != {(c.name, c.kind) for c in other.columns}:
            raise CopyRefused(
                f"The table {table.name} has other columns in the source than in the target.",
                "Run doorward migrate on both with this program, then try again.",
            )
        key = min(table.key, other.key, key=len)
        common.append(Table(table.name, table.columns, key, tuple(sorted({*table.refers, *other.refers}))))
    return in_order(common)
