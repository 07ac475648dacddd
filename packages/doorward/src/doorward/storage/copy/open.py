"""Engine selection for a copy, from the database setting."""

from __future__ import annotations

from pathlib import Path

from doorward.storage.copy.side import Side
from doorward.storage.copy.sqlite_side import open_sqlite_side
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.postgres.url import is_postgres
from doorward.storage.sql.open import sqlite_path


def plain(database: str) -> str:
    """The setting as plain text, including one that prints as `***`."""
    return str.__str__(database)


async def open_side(database: str, options: PostgresOptions, *, read_only: bool = False) -> Side:
    """A side on an existing database. Raises `CopyRefused`."""
    setting = plain(database)
    if is_postgres(setting):
        from doorward.storage.copy.postgres_side import open_postgres_side

        return await open_postgres_side(setting, options)
    return await open_sqlite_side(file_of(setting), read_only=read_only)


def file_of(setting: str) -> Path:
    """The file of a SQLite database."""
    return Path(sqlite_path(setting)).absolute()
