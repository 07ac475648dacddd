"""Checks of a SQLite database file. Part of `doctor`; changes nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from pathlib import Path
from typing import Final

from doorward.core.amounts import size
from doorward.core.model.finding import Finding, failed, passed

_LITTLE: Final = 500 * 1024 * 1024
_NONE: Final = 50 * 1024 * 1024


def absent(path: Path) -> Finding | None:
    """Whether the first start can create the file, where there is none yet."""
    if path.exists():
        return None
    # the nearest existing folder shows whether the others can be created
    folder = next(parent for parent in path.parents if parent.exists())
    if not folder.is_dir():
        return failed(f"{folder} is no folder", "Name another place for the database.")
    if not os.access(folder, os.W_OK | os.X_OK):
        return failed(f"{folder} cannot be written", f"Let the server's user write to {folder}.")
    return passed(f"{path} will be made at the first start")


def found(path: Path) -> Finding:
    """The file, its permissions, and its durability settings."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return failed(f"{path} can be read by others (mode {mode:04o})", f"chmod 600 {path}")
    if not os.access(path, os.W_OK):
        return failed(f"{path} cannot be written", "Run as the server's user.")
    return passed(f"{path}, SQLite {sqlite3.sqlite_version}, {_journal(path)}, mode {mode:04o}")


def disk(path: Path) -> Finding:
    """Whether there is disk space for the next writes."""
    folder = next(parent for parent in path.parents if parent.exists())
    free = shutil.disk_usage(folder).free
    said = f"{size(free)} free in {folder}"
    if free < _NONE:
        return failed(f"{said}: nobody can sign in when it is full", "Make room, or move the database.")
    return passed(said, "Make room before it is full." if free < _LITTLE else "")


def _journal(path: Path) -> str:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        mode: str = connection.execute("PRAGMA journal_mode").fetchone()[0]
    finally:
        connection.close()
    return mode.upper()
