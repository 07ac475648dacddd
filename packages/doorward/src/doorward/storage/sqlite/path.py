"""Where is the SQLite file that a database setting names?"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

# drivers' options, as in `?mode=rwc&timeout=5`; none of them means anything here
_OPTIONS = re.compile(r"\?[A-Za-z_]+=[^/?]*$")


def sqlite_path(database: str) -> str:
    """The path in `sqlite:///relative.db` and `sqlite:////absolute.db`, as database URLs are commonly written; else as it is.

    Nothing but options ends a path: a # or ? may stand in the name of a file, and another file must never be opened than was named.
    """
    if not database.lower().startswith("sqlite://"):
        return database
    return unquote(_OPTIONS.sub("", database[len("sqlite://") :])).removeprefix("/")


def opened_before(database: str) -> str | None:
    """The file that versions up to 0.1 opened instead, which took # and ? for the end of the path; None where it is the same."""
    if not database.lower().startswith("sqlite://"):
        return None
    old = unquote(urlsplit(database).path).removeprefix("/")
    return None if old == sqlite_path(database) else old
