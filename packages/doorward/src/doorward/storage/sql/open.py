"""Engine selection from the database setting: a PostgreSQL URL, or the path of a SQLite file."""

from __future__ import annotations

from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.postgres.url import is_postgres
from doorward.storage.sql.store import Store
from doorward.storage.sqlite.database import open_sqlite
from doorward.storage.sqlite.path import sqlite_path


async def open_store(
    database: str, *, migrate: bool = True, postgres: PostgresOptions | None = None
) -> Store:
    """The store at `database`: `postgresql://…`, `sqlite:///path`, or a path. Creates or migrates it unless `migrate`
    is False.

    Raises `SchemaRefused`, `StoreUnavailable`; neither shows a password.
    """
    # the plain text of a setting that prints as `***`
    plain = str.__str__(database)
    if is_postgres(plain):
        # the client library is not loaded when only a file is used
        from doorward.storage.postgres.database import open_postgres

        return await open_postgres(plain, migrate=migrate, options=postgres)
    return await open_sqlite(sqlite_path(plain), migrate=migrate)
