"""Results of a copy: row count and checksum of each table, to compare two databases."""

from __future__ import annotations

from msgspec import Struct


class TableSum(Struct, frozen=True):
    """One table. `checksum` is the SHA-256 of its rows in key order, in hex; the same on every engine."""

    table: str
    rows: int
    checksum: str


class MoveResult(Struct, frozen=True):
    """Result of a move. `kept`: rows copied by an earlier, interrupted move that were still valid."""

    source: str
    target: str
    rows: int
    copied: int
    kept: int
    tables: tuple[TableSum, ...]


class BackupFacts(Struct, frozen=True):
    """The unencrypted header of a backup: `made_at` in seconds since the epoch, program and schema version, the
    server's issuer, and what opens it (`key:…`, `passphrase`)."""

    id: str
    made_at: int
    version: str
    schema: int
    issuer: str
    opens_with: tuple[str, ...]


class BackedUp(Struct, frozen=True):
    """A backup that was made, checked or restored. `size` in bytes."""

    facts: BackupFacts
    place: str
    size: int
    rows: int
    tables: tuple[TableSum, ...]
