"""Noun of the database: which rows of its tables expire, which end with the account that they belong to, and which credentials they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from msgspec import Struct

from doorward.storage.sql.text import delete_oldest, select

DAY: Final = 86_400
TOKEN_GRACE: Final = DAY
"""The longest life that policy allows an access token (core/model/policy.py). Rows that are needed to check a late token or a replay are
kept that much longer than their own expiry."""


class Expiring(Struct, frozen=True, kw_only=True):
    """Rows of `table` that are deleted `keep` seconds after the time in their column `age`; `also` is a further condition in SQL.

    `key` are the columns that name one row.
    """

    table: str
    key: str = "id"
    age: str = "expires_at"
    keep: int = 0
    also: str = ""

    @property
    def due(self) -> str:
        """The condition, whose one value is the latest time at which rows are deleted."""
        return f"{self.age} <= ?{f' AND {self.also}' if self.also else ''}"

    @property
    def look(self) -> str:
        """Whether there is such a row."""
        # sorted, or PostgreSQL assumes that any row will soon match, and scans the whole table when none does
        return select("1", f"{self.table} WHERE {self.due} ORDER BY {self.age} LIMIT 1")

    @property
    def remove(self) -> str:
        """Deletes the oldest ones: the values of `due`, then how many."""
        return delete_oldest(self.table, self.key, self.age, self.due)


class Credential(Struct, frozen=True, kw_only=True):
    """A kind of what lets somebody in or acts for them, and the tables with its rows.

    `features/sessions/rules/endings.py` says for each `kind` what ends it. `rests_on`: kinds with whose end its own comes, without a write; then the
    table of endings has no column for it.
    """

    kind: str
    what: str
    tables: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()


class SqlNoun:
    """Base class of nouns, which `store.py` lists.

    `expiring` are its rows that expire. `with_account` are its tables whose column `account_id` no foreign key checks, so that they are
    emptied before the account is deleted; tables that refer to the account or its factors are emptied with the account's row. `credentials` are
    the kinds of credentials that its rows are; `no_credentials` its other tables, each with the reason.
    """

    expiring: ClassVar[tuple[Expiring, ...]] = ()
    with_account: ClassVar[tuple[str, ...]] = ()
    credentials: ClassVar[tuple[Credential, ...]] = ()
    no_credentials: ClassVar[Mapping[str, str]] = {}
