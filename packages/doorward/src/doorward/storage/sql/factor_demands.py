"""Demands for a second factor in SQL, one row for each person of whom one is asked."""

from __future__ import annotations

from typing import ClassVar

from doorward.core.model.factor_demand import FactorDemand
from doorward.storage.sql.noun import SqlNoun
from doorward.storage.sql.rows import found, from_row
from doorward.storage.sql.statements import Database, Write, write
from doorward.storage.sql.text import insert, select

_COLUMNS = "account_id, asked_at, postponed, required_at, grace_until"
_GET = select(_COLUMNS, "factor_demands WHERE account_id = ?")
_ASKED = insert(
    "factor_demands",
    "account_id, asked_at",
    "ON CONFLICT (account_id) DO UPDATE SET asked_at = COALESCE(factor_demands.asked_at, excluded.asked_at)",
)
_POSTPONE = insert(
    "factor_demands",
    "account_id, asked_at, postponed",
    "ON CONFLICT (account_id) DO UPDATE SET asked_at = COALESCE(factor_demands.asked_at, excluded.asked_at),"
    " postponed = excluded.postponed",
)
_REQUIRE = insert(
    "factor_demands",
    "account_id, required_at, grace_until",
    "ON CONFLICT (account_id) DO UPDATE SET required_at = excluded.required_at, grace_until = excluded.grace_until",
)
_WITHOUT_GRACE = insert(
    "factor_demands",
    "account_id, asked_at",
    "ON CONFLICT (account_id) DO UPDATE SET asked_at = excluded.asked_at, postponed = NULL",
)
_REMOVED = "UPDATE factor_demands SET asked_at = 0, postponed = NULL WHERE account_id = ?"
_MET = "UPDATE factor_demands SET asked_at = NULL, postponed = NULL WHERE account_id = ?"


class SqlFactorDemands(SqlNoun):
    """Demands for a second factor."""

    no_credentials: ClassVar = {"factor_demands": "what a sign-in asks for"}

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, account_id: str) -> FactorDemand | None:
        return await found(self._db, _GET, (account_id,), lambda row: from_row(FactorDemand, row))

    def asked(self, account_id: str, at: int) -> Write:
        """Record that a requirement is unmet, unless that is recorded already."""
        return write(_ASKED, account_id, at)

    def postpone(self, account_id: str, sign_in_id: str, at: int) -> Write:
        """Record that the person put the enrolment off in this sign-in."""
        return write(_POSTPONE, account_id, at, sign_in_id)

    def require(self, account_id: str, at: int | None, grace_until: int | None = None) -> Write:
        """An operator's demand; None ends it."""
        return write(_REQUIRE, account_id, at, grace_until)

    def without_grace(self, account_id: str) -> Write:
        """After a reset: a policy's requirement is asked for at once, since its grace period counts from long ago."""
        return write(_WITHOUT_GRACE, account_id, 0)

    def removed(self, account_id: str) -> Write:
        """The person removed their last second factor: of whom one was required before, it is asked for at once when it is required
        again. Otherwise each removal would begin another grace period."""
        return write(_REMOVED, account_id)

    def met(self, account_id: str) -> Write:
        """A second factor was enrolled: a later requirement has a grace period of its own."""
        return write(_MET, account_id)
