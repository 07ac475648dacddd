"""Where is the SQLite file that a database setting names?"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit


def sqlite_path(database: str) -> str:
    """The path in `sqlite:///relative.db` and `sqlite:////absolute.db`, as database URLs are commonly written; else as it is."""
    if not database.lower().startswith("sqlite://"):
        return database
    return unquote(urlsplit(database).path).removeprefix("/")
