"""Consecutive wrong codes of each authenticator, in SQL: single statements, so that no concurrent attempt is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from doorward.storage.sql.noun import SqlNoun
from doorward.storage.sql.statements import Database, Write, write
from doorward.storage.sql.text import insert, select

_OF_ACCOUNT = select(
    "factor_failures.factor_id, factor_failures.known, factor_failures.failures",
    "factors JOIN factor_failures ON factor_failures.factor_id = factors.id WHERE factors.account_id = ?",
)
_ADD = insert(
    "factor_failures",
    "factor_id, known, failures",
    "ON CONFLICT (factor_id, known) DO UPDATE SET failures = factor_failures.failures + excluded.failures",
)
_CLEAR = "DELETE FROM factor_failures WHERE factor_id IN (SELECT id FROM factors WHERE account_id = ?)"


class SqlFactorFailures(SqlNoun):
    """Failures in a row, for each authenticator, separately on devices that the account knows and on others."""

    no_credentials: ClassVar = {"factor_failures": "counts of wrong guesses"}

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of_account(self, account_id: str) -> dict[tuple[str, bool], int]:
        """(factor id, whether on known devices) -> failures since the last success; what has none is absent."""
        rows = await self._db.all(_OF_ACCOUNT, (account_id,))
        return {(row[0], bool(row[1])): row[2] for row in rows}

    def add(self, factor_ids: Sequence[str], *, known: bool) -> Write:
        """Count one wrong code for each of these factors."""
        return Write(tuple((_ADD, (factor_id, int(known), 1), None) for factor_id in factor_ids))

    def clear(self, account_id: str) -> Write:
        """A second step of the account succeeded."""
        return write(_CLEAR, account_id)
