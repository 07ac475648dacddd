"""Translation of `?` placeholders to PostgreSQL's numbered ones."""

from __future__ import annotations

import re
from functools import lru_cache

from doorward.storage.sql.text import Statement, select

# quoted texts and names are skipped: a question mark in them is not a placeholder
_MARK = re.compile(r"'[^']*'|\"[^\"]*\"|\?")
_TYPES = {"BLOB": "BYTEA", "TEXT": 'TEXT COLLATE "C"'}
_ARRAYS = {"BLOB": "BYTEA"}
_PLACES = f"ARRAY({select('place', '{}')})"
_TYPE = re.compile(r"'[^']*'|--[^\n]*|\b(?:BLOB|TEXT)\b")


def numbered_from(sql: str, first: int) -> tuple[str, int]:
    """The statement with `$first`, `$first+1`, … in place of `?`, and the next number."""
    number = first - 1

    def mark(found: re.Match[str]) -> str:
        nonlocal number
        if found[0] != "?":
            return found[0]
        number += 1
        return f"${number}"

    return _MARK.sub(mark, sql), number + 1


@lru_cache(maxsize=64)
def for_many(update: Statement) -> str:
    """The UPDATE of one row, by its types, for as many rows as each `$n` has values. It waits for none: rows that another transaction has
    locked stay as they are. It returns two arrays of places, from 1: of the rows that it could lock, and of those that it changed."""
    number = 0

    def mark(found: re.Match[str]) -> str:
        nonlocal number
        if found[0] != "?":
            return found[0]
        number += 1
        return f"given.v{number}"

    changes, _, row = _MARK.sub(mark, update).partition(" WHERE ")
    table, key = _row_of(update)
    arrays = ", ".join(
        f"${place}::{_ARRAYS.get(type_, type_)}[]" for place, type_ in enumerate(update.types, 1)
    )
    names = ", ".join(f"v{place}" for place in range(1, number + 1))
    rows = f"unnest({arrays}) WITH ORDINALITY AS given({names}, place)"
    mine = f"{table} AS mine ON mine.{key} = given.v{changes.count('given.v') + 1}"
    free = select("given.*", f"{rows} JOIN {mine} FOR NO KEY UPDATE OF mine SKIP LOCKED")
    done = f"{changes} FROM free AS given WHERE {row} RETURNING given.place"
    return (
        f"WITH free AS ({free}), done AS ({done}) SELECT {_PLACES.format('free')}, {_PLACES.format('done')}"
    )


@lru_cache(maxsize=64)
def lock_for(update: Statement) -> tuple[str, int]:
    """A statement that waits for the row of an UPDATE of one row and locks it, and the place, from 0, of the row's key among the values."""
    table, key = _row_of(update)
    return select("1", f"{table} WHERE {key} = ? FOR NO KEY UPDATE"), update.partition(" WHERE ")[0].count(
        "?"
    )


def _row_of(update: Statement) -> tuple[str, str]:
    """The table, and the column of the key."""
    return update.split(" ", 2)[1], update.partition(" WHERE ")[2].split(" ", 1)[0]


@lru_cache(maxsize=1024)
def numbered(sql: str) -> str:
    """The statement with `$1`, `$2`, … in place of `?`. Statements are constants: each is translated once."""
    return numbered_from(sql, 1)[0]


def schema(text: str, *, collate: bool = True) -> str:
    """A shared migration in PostgreSQL's dialect. Text is compared byte by byte there too, independent of the
    database's locale: pages of ids and unique names must not depend on where `createdb` was run. `collate=False` is for
    engines that do so by default."""

    def type_(found: re.Match[str]) -> str:
        word = found[0]
        return word if word == "TEXT" and not collate else _TYPES.get(word, word)

    return _TYPE.sub(type_, text)
