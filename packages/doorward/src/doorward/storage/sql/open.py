"""Which engine does a database setting mean? A URL of PostgreSQL, or the path of a SQLite file."""

from __future__ import annotations

from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.postgres.url import is_postgres
from doorward.storage.sql.store import Store
from doorward.storage.sqlite.database import open_sqlite
from doorward.storage.sqlite.path import sqlite_path


async def open_store(
    database: str, *, migrate: bool = True, postgres: PostgresOptions | None = None
) -> Store:
    """The store at `database`: `postgresql://…`, `sqlite:///path`, or a path. Made or brought up to date unless `migrate` is False.

    Raises `SchemaRefused`, `StoreUnavailable`; neither shows a password.
    """
    # a setting that prints as `***` is used as it is
    plain = str.__str__(database)
    if is_postgres(plain):
        # the client library is not loaded where there is only a file
        from doorward.storage.postgres.database import open_postgres

        return await open_postgres(plain, migrate=migrate, options=postgres)
    return await open_sqlite(sqlite_path(plain), migrate=migrate)
