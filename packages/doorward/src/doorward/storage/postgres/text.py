"""Translation of `?` placeholders to PostgreSQL's numbered ones."""

from __future__ import annotations

import re
from functools import lru_cache

from doorward.storage.sql.text import Statement

# quoted texts and names are skipped: a question mark in them is not a placeholder
_MARK = re.compile(r"'[^']*'|\"[^\"]*\"|\?")
_TYPES = {"BLOB": "BYTEA", "TEXT": 'TEXT COLLATE "C"'}
_ARRAYS = {"BLOB": "BYTEA"}
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
def for_many(update: Statement) -> tuple[str, int]:
    """The UPDATE of one row, by its types, for as many rows as each `$n` has values; it returns the places, from 1, of those that it
    changed. And the place, from 0, of the row's key among the values."""
    number = 0

    def mark(found: re.Match[str]) -> str:
        nonlocal number
        if found[0] != "?":
            return found[0]
        number += 1
        return f"given.v{number}"

    changes, _, row = _MARK.sub(mark, update).partition(" WHERE ")
    arrays = ", ".join(
        f"${place}::{_ARRAYS.get(type_, type_)}[]" for place, type_ in enumerate(update.types, 1)
    )
    names = ", ".join(f"v{place}" for place in range(1, number + 1))
    rows = f"unnest({arrays}) WITH ORDINALITY AS given({names}, place)"
    return f"{changes} FROM {rows} WHERE {row} RETURNING given.place", changes.count("given.v")


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
