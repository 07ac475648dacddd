"""Databases of a test: SQLite, unless its module says `ENGINES = BOTH`; tests/conftest.py reads it.

The fixture `database` is the URL of a fresh database for the module, or None for a SQLite file in the server's own folder; what
takes a `database` (`running`, `processes`) understands both.
"""

from __future__ import annotations

from typing import Literal

Engine = Literal["sqlite", "postgres"]
SQLITE: tuple[Engine, ...] = ("sqlite",)
POSTGRES: tuple[Engine, ...] = ("postgres",)
BOTH: tuple[Engine, ...] = ("sqlite", "postgres")
