"""Path of the SQLite file in a database setting."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

# options of other drivers, as in `?mode=rwc&timeout=5`; none has a meaning here
_OPTIONS = re.compile(r"\?[A-Za-z_]+=[^/?]*$")


def sqlite_path(database: str) -> str:
    """The path in `sqlite:///relative.db` and `sqlite:////absolute.db`, the common form of database URLs; else the
    setting unchanged.

    Only options are cut off: # and ? may be part of a file name, and no other file than the named one may be opened.
    """
    if not database.lower().startswith("sqlite://"):
        return database
    return unquote(_OPTIONS.sub("", database[len("sqlite://") :])).removeprefix("/")


def opened_before(database: str) -> str | None:
    """The file that versions up to 0.1 opened instead, which cut the path at # and ?; None where it is the same."""
    if not database.lower().startswith("sqlite://"):
        return None
    old = unquote(urlsplit(database).path).removeprefix("/")
    return None if old == sqlite_path(database) else old
