"""Browsers on which the second factor is not asked for, in SQL."""

from __future__ import annotations

from doorward.storage.sql.statements import Database


class SqlRememberedDevices:
    """Remembered browsers."""

    def __init__(self, database: Database) -> None:
        self._db = database
