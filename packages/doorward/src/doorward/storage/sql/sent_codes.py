"""Codes sent to phones and mailboxes, in SQL."""

from __future__ import annotations

from doorward.storage.sql.statements import Database


class SqlSentCodes:
    """Codes that were sent, each for one sign-in or enrolment."""

    def __init__(self, database: Database) -> None:
        self._db = database
