"""Outgoing text messages in SQL."""

from __future__ import annotations

from doorward.storage.sql.statements import Database


class SqlOutgoingSms:
    """Text messages to send."""

    def __init__(self, database: Database) -> None:
        self._db = database
