"""Page docs/reference/retention.md: when the rows of each table are deleted, as the nouns of the storage declare it.

A fresh database says which tables refer to accounts. `python -m tools.retention_page` writes the page; tests/repository compares it.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
from msgspec import Struct

from doorward.storage.sql.noun import DAY, Expiring
from doorward.storage.sql.open import open_store

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "retention.md"
_HEAD = """# Retention

How long the rows of each table stay. `make pages` writes this page from what each noun of `storage/sql/` declares and from the schema.

| table | rows are deleted | at the latest with the account |
|---|---|---|
"""
_TAIL = """
Lines of the audit log stay for `audit.keep_days`, with their places in its chain (`audit_chain`, `audit_heads`), and the account's own stay
when it is deleted. Their personal fields (`audit_personal`) end with the account, with `doorward audit erase`, and with the line. Expired rows are removed
[in small batches](../explain/storage.md#retention), so that one may stay for some minutes longer. Kept until they are changed or removed: {kept}.
"""
_OF_AUDIT = {"audit", "audit_chain", "audit_heads", "audit_personal", "audit_unsealed"}
_AGES = {
    "ends_at": "their window ends",
    "created_at": "they were written",
    "at": "they happened",
    "trusted_at": "the last sign-in there",
    "expires_at": "they expire",
    "ended_at": "they ended",
}
_ALSO = {
    "": "",
    "sent_at IS NOT NULL": ", if they are sent",
    "pinned_at IS NULL AND disabled_at IS NULL": ", unless an operator pinned or disabled them",
}


class Schema(Struct, frozen=True, kw_only=True):
    """By table: its columns, and the tables with whose rows its own end. `expiring` and `emptied` as the nouns declare them."""

    columns: Mapping[str, Sequence[str]]
    refers: Mapping[str, Sequence[str]]
    expiring: Sequence[Expiring]
    emptied: Sequence[str]


def _keep(seconds: int) -> str:
    if seconds == 0:
        return "when"
    number, unit = (seconds // DAY, "day") if seconds % DAY == 0 else (seconds // 60, "minute")
    return f"{number} {unit}{'' if number == 1 else 's'} after"


def _when(one: Expiring) -> str:
    return f"{_keep(one.keep)} {_AGES[one.age]}{_ALSO[one.also]}"


def page(expiring: Sequence[Expiring], emptied: Sequence[str], refers: Mapping[str, Sequence[str]]) -> str:
    """The page. `refers`: by table, those to which it refers and with whose rows its own end; `emptied`: the tables that the deletion of
    an account empties besides. Raises KeyError for a column or condition without words."""

    def owned(table: str) -> bool:
        return table in emptied or any(one == "accounts" or owned(one) for one in refers[table])

    rows, kept = list[str](), list[str]()
    for table in sorted(set(refers) - _OF_AUDIT):
        when = "; ".join(_when(one) for one in expiring if one.table == table)
        if when or owned(table):
            rows.append(f"| `{table}` | {when or '–'} | {'yes' if owned(table) else '–'} |\n")
        else:
            kept.append(f"`{table}`")
    return f"{_HEAD}{''.join(rows)}{_TAIL.format(kept=', '.join(kept))}"


async def schema() -> Schema:
    """The schema and the declarations of this program, from a new database."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "doorward.db")
        store = await open_store(path)
        await store.close()
        connection = sqlite3.connect(path)
        try:
            tables = [
                row[0]
                for row in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                )
            ]
            columns = {table: _info(connection, "table_info", table, 1) for table in tables}
            refers = {table: _info(connection, "foreign_key_list", table, 2) for table in tables}
        finally:
            connection.close()
    return Schema(columns=columns, refers=refers, expiring=store.expiring, emptied=store.with_account)


def _info(connection: sqlite3.Connection, pragma: str, table: str, column: int) -> tuple[str, ...]:
    found = connection.execute(f"SELECT * FROM pragma_{pragma}(?)", (table,)).fetchall()  # noqa: S608 - names from here
    return tuple(row[column] for row in found if pragma != "foreign_key_list" or row[6] == "CASCADE")


async def made() -> str:
    """The page of this program."""
    found = await schema()
    return page(found.expiring, found.emptied, found.refers)


def main() -> int:
    """Write the page."""
    PAGE.write_text(anyio.run(made), "utf-8")
    sys.stderr.write(f"pages: wrote {PAGE.relative_to(PAGE.parents[2])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
