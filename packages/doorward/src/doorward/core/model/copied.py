"""What was copied: how many rows of which table, and their checksum, so that two databases can be held against each other."""

from __future__ import annotations

from msgspec import Struct


class TableSum(Struct, frozen=True):
    """One table. `checksum` is the SHA-256 of its rows in order of their keys, in hex; the same on every engine."""

    table: str
    rows: int
    checksum: str


class Moved(Struct, frozen=True):
    """What a move did. `kept`: rows that an interrupted move before had copied and that still held."""

    source: str
    target: str
    rows: int
    copied: int
    kept: int
    tables: tuple[TableSum, ...]


class BackupFacts(Struct, frozen=True):
    """What a backup says of itself, in clear: `made_at` in seconds since the epoch, the program and the schema that it was made
    with, the server's issuer, and what opens it (`key:…`, `passphrase`)."""

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
