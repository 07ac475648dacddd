"""SQL text, built once at import from constants of this package.

This is the only place that concatenates SQL, so that a short review shows that values are never part of it: values are
`?`.
"""

from __future__ import annotations

from typing import final


@final
class Statement(str):
    """A statement that changes at most one row: inserted by value, or selected by its whole key. `tables`: all tables
    that it reads or writes. `adds`: it inserts. `types`: the types of its values, if many requests make it at once.
    PostgreSQL may join it with others (`storage/postgres/merge.py`), and run one with types for many rows
    (`storage/postgres/batches.py`); a plain str runs alone."""

    __slots__ = ("adds", "tables", "types")
    tables: frozenset[str]
    adds: bool
    types: tuple[str, ...]

    def __new__(cls, text: str, *tables: str, adds: bool = False, types: tuple[str, ...] = ()) -> Statement:
        statement = super().__new__(cls, text)
        statement.types = types
        statement.tables = frozenset(tables)
        statement.adds = adds
        return statement


def select(columns: str, rest: str) -> str:
    """`SELECT columns FROM rest`."""
    return f"SELECT {columns} FROM {rest}"  # noqa: S608 - names from this package


def insert(table: str, columns: str, rest: str = "") -> Statement:
    """An INSERT with a placeholder for each of `columns`; `rest` follows it, such as an ON CONFLICT clause."""
    marks = ", ".join("?" * len(columns.split(",")))
    text = f"INSERT INTO {table} ({columns}) VALUES ({marks}) {rest}".rstrip()  # noqa: S608 - names from this package
    return Statement(text, table, adds=True)


def insert_from(table: str, columns: str, selection: str) -> str:
    """An INSERT of the rows that `selection` gives, without those that are there."""
    return f"INSERT INTO {table} ({columns}) {selection} ON CONFLICT DO NOTHING"


def update(table: str, changes: str, row: str, *reads: str, types: str = "") -> Statement:
    """An UPDATE of one row. `row` begins with its whole key; `reads` are the other tables that it uses. `types`: of its values, as in
    migrations, if many requests make this change at once."""
    text = f"UPDATE {table} SET {changes} WHERE {row}"  # noqa: S608 - names from this package
    return Statement(text, table, *reads, types=tuple(types.split()))


def update_all(table: str, changes: str, rows: str) -> str:
    """An UPDATE of any number of rows."""
    return f"UPDATE {table} SET {changes} WHERE {rows}"  # noqa: S608 - names from this package


def delete(table: str, rows: str) -> str:
    """`DELETE FROM table WHERE rows`."""
    return f"DELETE FROM {table} WHERE {rows}"  # noqa: S608 - names from this package


def one_of(columns: str, table: str, key: str, number: int, rest: str = "") -> str:
    """A SELECT of the rows whose `key` is one of `number` values; `rest` follows, such as a further condition."""
    marks = ", ".join("?" * number)
    return select(columns, f"{table} WHERE {key} IN ({marks}) {rest}".rstrip())


def newest_of(statement: str, number: int, columns: str, order: str) -> str:
    """A union of `number` runs of one SELECT of `columns`, each with its own values, newest first by `order`; the last
    value is the row limit."""
    runs = " UNION ALL ".join([select("*", f"({statement}) AS newest")] * number)
    return select(columns, f"({runs}) AS newest ORDER BY {order} DESC LIMIT ?")


ALL = 2**62
"""The row limit of a query without one."""
MOST = 500
"""The most rows that one statement takes out of a large table; bounds how long other writers wait."""


def oldest(table: str, key: str, age: str, condition: str) -> str:
    """Selects `key` of the oldest rows that meet `condition`: its values, then the limit. The constant `MOST` also
    bounds it, because PostgreSQL's planner must see it: it estimates an unknown limit as a tenth of the table, and then
    scans the table."""
    columns = key if age in key.split(", ") else f"{key}, {age}"
    few = select(columns, f"{table} WHERE {condition} ORDER BY {age} LIMIT {MOST}")
    return select(key, f"({few}) AS oldest ORDER BY {age} LIMIT ?")


def delete_oldest(table: str, key: str, age: str, condition: str) -> str:
    """Deletes the rows that `oldest` selects, with the same values."""
    these = oldest(table, key, age, condition)
    return delete(table, f"({key}) IN ({these})")


def qualified(table: str, columns: str) -> str:
    """The columns qualified by their table's name, for a join."""
    return ", ".join(f"{table}.{column.strip()}" for column in columns.split(","))
