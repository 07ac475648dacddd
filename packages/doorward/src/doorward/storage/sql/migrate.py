"""Selection of the migrations that a database needs, and the check that this program may use it.

A migration is `migrations/NNNN_name.sql`; an engine-specific part is `NNNN_name.<engine>.sql` and runs right after it
in the same transaction. An applied migration never changes: its checksum is recorded beside its number.

A migration that only adds contains a line `-- readable by: N`: programs that know the schema up to version N keep
working with its result, and may start on it, so that the nodes of one server can be updated one after another
(docs/guides/upgrade.md).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from doorward.core.errors import StoreUnavailable

CREATE_HISTORY = (
    "CREATE TABLE IF NOT EXISTS schema_migrations"
    " (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)"
)
APPLIED = "SELECT number, name, checksum FROM schema_migrations ORDER BY number"
RECORD = "INSERT INTO schema_migrations (number, name, checksum) VALUES (?, ?, ?)"

READABLE = "SELECT value FROM meta WHERE name = 'schema.readable'"
SAY_READABLE = (
    "INSERT INTO meta (name, value) VALUES ('schema.readable', ?)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
NEEDS = "SELECT value FROM meta WHERE name = 'schema.needs'"
"""The schema version whose program the content needs, if higher than the schema itself requires (`Store.require_this_program`)."""
SAY_NEEDS = (
    "INSERT INTO meta (name, value) VALUES ('schema.needs', ?)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_HEADER: Final = re.compile(r"^-- readable by: ([1-9][0-9]*)$", re.MULTILINE)
_FOLDER = Path(__file__).parents[1] / "migrations"


class SchemaRefused(StoreUnavailable):
    """The database has a schema that this program must not use; the text says what to do."""


class Migration(Struct, frozen=True):
    """One numbered step of the schema, with the text for one engine. `checksum`: the SHA-256 of that text in hex.
    `readable_by`: the oldest schema version whose program works with the result, 0 if none before it does."""

    number: int
    name: str
    text: str
    checksum: str
    readable_by: int = 0


def known(engine: str, folder: Path = _FOLDER) -> tuple[Migration, ...]:
    """The migrations in `folder` for one engine, in order. Raises ValueError when numbers are missing or duplicated, or
    when one is marked as readable by a later version."""
    found: list[Migration] = []
    for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql")):
        if path.name.count(".") != 1:
            continue
        number, name = path.stem.split("_", 1)
        text = path.read_text(encoding="utf-8")
        beside = path.with_suffix(f".{engine}.sql")
        if beside.exists():
            text += "\n" + beside.read_text(encoding="utf-8")
        said = _HEADER.search(text)
        oldest = int(said[1]) if said else 0
        if oldest > int(number):
            raise ValueError(f"{path.name} says that it is readable by {oldest}, which comes after it")
        found.append(Migration(int(number), name, text, hashlib.sha256(text.encode()).hexdigest(), oldest))
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise ValueError(
            f"the migrations in {folder} are not numbered 1, 2, 3, …: {[m.number for m in found]}"
        )
    return tuple(found)


def readable(mine: Sequence[Migration], needs: str | None = None) -> str:
    """The value stored in the database after all of `mine` ran: its version, and the oldest version whose program may
    use it. `needs`: the stored value of `NEEDS`, if any."""
    oldest = max((one.readable_by or one.number for one in mine), default=0)
    return f"{len(mine)} {max(oldest, int(needs or 0))}"


def may_use(applied: Sequence[tuple[int, str, str]], mine: Sequence[Migration], said: str | None) -> bool:
    """Whether a program with `mine` works with a database where `applied` ran: exactly its own, or its own and later
    ones that it can ignore. `said` is the stored value of `readable`."""
    own = [(one.number, one.name, one.checksum) for one in mine]
    if list(applied[: len(own)]) != own:
        return False
    if len(applied) == len(own):
        return True
    # if it names another version than the database has, it does not apply
    version, _, oldest = (said or "").partition(" ")
    return version == str(len(applied)) and oldest.isdigit() and int(oldest) <= len(own)


def missing(
    applied: Sequence[tuple[int, str, str]],
    mine: Sequence[Migration],
    *,
    where: str,
    said: str | None = None,
) -> Sequence[Migration]:
    """The migrations to run, in order. `applied` is what the database recorded as (number, name, checksum), `said` its
    stored value of `readable`.

    Raises `SchemaRefused` when the database is newer than this program and not readable by it, or was made from other
    migrations.
    """
    newest = max((number for number, _, _ in applied), default=0)
    for (number, name, checksum), own in zip(applied, mine, strict=False):
        if (number, name, checksum) != (own.number, own.name, own.checksum):
            raise SchemaRefused(
                f"The database {where} was made with another text of migration {number} ({name}) than this program has"
                f" ({own.number} {own.name}). It comes from a development version: restore a backup of a released version,"
                " or start with an empty database."
            )
    if newest > len(mine) and not may_use(applied, mine, said):
        raise SchemaRefused(
            f"The database {where} has schema version {newest}, this program knows versions up to {len(mine)}: a newer Doorward"
            " has used it. Start that newer version again, or restore the backup made before the update."
        )
    return mine[len(applied) :]
