"""Passkeys in SQL, each beside its row of `factors`."""

from __future__ import annotations

from doorward.storage.sql.statements import Database


class SqlPasskeys:
    """Passkeys."""

    def __init__(self, database: Database) -> None:
        self._db = database
