"""Text of the statements, put together once, at import, from this package's own constants.

This is the only place that joins SQL, so that it can be seen at a glance that no value ever comes into it: values are `?`.
"""

from __future__ import annotations

from typing import final


@final
class Statement(str):
    """A statement that changes one row at most: one that is given by value, or that of a whole key. `tables`: all tables that it reads
    or writes. `adds`: it inserts. PostgreSQL may run it beside others (`storage/postgres/merge.py`); a plain text runs alone."""

    __slots__ = ("adds", "tables")
    tables: frozenset[str]
    adds: bool

    def __new__(cls, text: str, *tables: str, adds: bool = False) -> Statement:
        statement = super().__new__(cls, text)
        statement.tables = frozenset(tables)
        statement.adds = adds
        return statement


def select(columns: str, rest: str) -> str:
    """`SELECT columns FROM rest`."""
    return f"SELECT {columns} FROM {rest}"  # noqa: S608 - names from this package


def insert(table: str, columns: str, rest: str = "") -> Statement:
    """An INSERT with a placeholder for each of `columns`; `rest` is what follows, such as an ON CONFLICT clause."""
    marks = ", ".join("?" * len(columns.split(",")))
    text = f"INSERT INTO {table} ({columns}) VALUES ({marks}) {rest}".rstrip()  # noqa: S608 - names from this package
    return Statement(text, table, adds=True)


def update(table: str, changes: str, row: str, *reads: str) -> Statement:
    """An UPDATE of one row. `row` begins with its whole key; `reads` are other tables that stand in it."""
    text = f"UPDATE {table} SET {changes} WHERE {row}"  # noqa: S608 - names from this package
    return Statement(text, table, *reads)


def one_of(columns: str, table: str, key: str, number: int) -> str:
    """A SELECT of the rows whose `key` is one of `number` values."""
    marks = ", ".join("?" * number)
    return select(columns, f"{table} WHERE {key} IN ({marks})")


def newest_of(statement: str, number: int, columns: str, order: str) -> str:
    """The rows of `number` runs of one SELECT of `columns`, each with its own values, together: newest first by `order`, then how many."""
    runs = " UNION ALL ".join([select("*", f"({statement}) AS newest")] * number)
    return select(columns, f"({runs}) AS newest ORDER BY {order} DESC LIMIT ?")


MOST = 500
"""Rows that one statement takes out of a large table at most, so that nobody waits long for it."""


def oldest(table: str, key: str, age: str, condition: str) -> str:
    """Selects `key` of at most so many rows of those that meet `condition`, oldest first: its values, then the number. Never more
    than `MOST`, which the planner of PostgreSQL has to see: of a number that it does not know it thinks that it is a tenth of the
    table, and walks through the table for them."""
    columns = key if age in key.split(", ") else f"{key}, {age}"
    few = select(columns, f"{table} WHERE {condition} ORDER BY {age} LIMIT {MOST}")
    return select(key, f"({few}) AS oldest ORDER BY {age} LIMIT ?")


def delete_oldest(table: str, key: str, age: str, condition: str) -> str:
    """Deletes the `oldest`, with the same values."""
    these = oldest(table, key, age, condition)
    return f"DELETE FROM {table} WHERE ({key}) IN ({these})"  # noqa: S608 - names from this package


def qualified(table: str, columns: str) -> str:
    """The columns with their table's name in front, for a join."""
    return ", ".join(f"{table}.{column.strip()}" for column in columns.split(","))
