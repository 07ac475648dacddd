"""Rows for every table of a database that has none yet, from the schema alone, so that the table of a later migration has some, too."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from doorward.storage.copy.tables import BOOKKEEPING, MARKS

Rows = dict[str, list[tuple[Any, ...]]]


def carried(db: sqlite3.Connection) -> list[str]:
    """The tables whose rows are copied, in order of name."""
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    return [name for (name,) in db.execute(sql) if name not in BOOKKEEPING]


def rows_of(path: Path) -> Rows:
    """All rows of each table, in some fixed order, without the marks of one database."""
    with closing(sqlite3.connect(path)) as db:
        found = {table: sorted(db.execute(f"SELECT * FROM {table}"), key=repr) for table in carried(db)}
    found["meta"] = [row for row in found["meta"] if row[0] not in MARKS]
    return found


def fill_every(path: Path, *, but: frozenset[str] = frozenset()) -> None:
    """Two rows for each table that has none, with bytes, signs and numbers that not every column type holds."""
    with closing(sqlite3.connect(path)) as db:
        for table in carried(db):
            if table not in but:
                _fill(db, table)
        db.commit()


def _fill(db: sqlite3.Connection, table: str) -> None:
    if db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
        return
    columns = [(row[1], row[2]) for row in db.execute(f"PRAGMA table_info({table})")]
    refers = {row[3]: (row[2], row[4] or row[3]) for row in db.execute(f"PRAGMA foreign_key_list({table})")}
    for other, _ in refers.values():
        _fill(db, other)
    for number in range(2):
        values = [
            _referred(db, *refers[name], number) if name in refers else _made(name, kind, number)
            for name, kind in columns
        ]
        db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)


def _referred(db: sqlite3.Connection, table: str, column: str, number: int) -> Any:
    sql = f"SELECT {column} FROM {table} ORDER BY 1 LIMIT 1 OFFSET ?"
    return db.execute(sql, (number,)).fetchone()[0]


def _made(name: str, kind: str, number: int) -> Any:
    made: dict[str, Any] = {
        "TEXT": f"Désk ✓ {name} {number}",
        "BIGINT": 2**40 + number,
        "BLOB": b"\x00\xff" + bytes([number]),
    }
    return made[kind]
