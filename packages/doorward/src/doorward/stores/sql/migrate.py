"""Which migrations does a database need, and may this program touch it at all?

A migration is `migrations/NNNN_name.sql`; what one engine alone needs stands in `NNNN_name.<engine>.sql` and runs right after it
in the same transaction. An applied migration never changes: its checksum is recorded beside its number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from doorward.ports.store import StoreUnavailable

CREATE_HISTORY = (
    "CREATE TABLE IF NOT EXISTS schema_migrations"
    " (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)"
)
APPLIED = "SELECT number, name, checksum FROM schema_migrations ORDER BY number"
RECORD = "INSERT INTO schema_migrations (number, name, checksum) VALUES (?, ?, ?)"

_FOLDER = Path(__file__).parent / "migrations"


class SchemaRefused(StoreUnavailable):
    """The database has a schema that this program must not touch; the text says what to do."""


class Migration(Struct, frozen=True):
    """One numbered step of the schema, with the text for one engine. `checksum` is the SHA-256 of that text in hex."""

    number: int
    name: str
    text: str
    checksum: str


def known(engine: str, folder: Path = _FOLDER) -> tuple[Migration, ...]:
    """The migrations in `folder` for one engine, in order. Raises ValueError when numbers are missing or doubled."""
    found: list[Migration] = []
    for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql")):
        if path.name.count(".") != 1:
            continue
        number, name = path.stem.split("_", 1)
        text = path.read_text(encoding="utf-8")
        beside = path.with_suffix(f".{engine}.sql")
        if beside.exists():
            text += "\n" + beside.read_text(encoding="utf-8")
        found.append(Migration(int(number), name, text, hashlib.sha256(text.encode()).hexdigest()))
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise ValueError(
            f"the migrations in {folder} are not numbered 1, 2, 3, …: {[m.number for m in found]}"
        )
    return tuple(found)


def missing(
    applied: Sequence[tuple[int, str, str]], mine: Sequence[Migration], *, where: str
) -> Sequence[Migration]:
    """What has to run, in order. `applied` is what the database recorded as (number, name, checksum).

    Raises `SchemaRefused` when the database is newer than this program, or was made from other migrations.
    """
    newest = max((number for number, _, _ in applied), default=0)
    if newest > len(mine):
        raise SchemaRefused(
            f"The database {where} has schema version {newest}, this program knows versions up to {len(mine)}: a newer Doorward"
            " has used it. Start that newer version again, or restore the backup made before the update."
        )
    for (number, name, checksum), own in zip(applied, mine, strict=False):
        if (number, name, checksum) != (own.number, own.name, own.checksum):
            raise SchemaRefused(
                f"The database {where} was made with another text of migration {number} ({name}) than this program has"
                f" ({own.number} {own.name}). It comes from a development version: restore a backup of a released version,"
                " or start with an empty database."
            )
    return mine[len(applied) :]
