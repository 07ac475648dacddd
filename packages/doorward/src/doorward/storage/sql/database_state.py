"""Check that a database may be served: not while it is being filled, and never again once its data has moved out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from doorward.core.errors import StoreGone
from doorward.storage.sql.text import insert, update

PUT_META: Final = insert("meta", "name, value", "ON CONFLICT (name) DO UPDATE SET value = excluded.value")
ADD_META: Final = insert("meta", "name, value", "ON CONFLICT (name) DO NOTHING")
CHANGE_META: Final = update("meta", "value = ?", "name = ? AND value = ?")
DROP_META: Final = "DELETE FROM meta WHERE name = ? AND value = ?"
MARKS: Final = "SELECT name, value FROM meta WHERE name IN ('arriving', 'moved')"


class NotServed(StoreGone):
    """The database must not be served. `fix` says which database to use instead."""

    def __init__(self, error: str, fix: str) -> None:
        self.error = error
        self.fix = fix
        super().__init__(f"{error} Fix: {fix}")


def why_not(marks: Mapping[str, str], *, where: str = "The database") -> NotServed | None:
    """The reason not to serve the database, from names and values of `meta`; None when there is none."""
    if "moved" in marks:
        return NotServed(
            f"{where} has moved to {marks['moved']}.",
            "Set `database` to that. (To come back to this one, and lose what was written there since: "
            "doorward move --release, with its path or URL.)",
        )
    if "arriving" in marks:
        return NotServed(
            f"{where} is not complete: it is being filled from {marks['arriving']}.",
            "Run the same doorward move again, which finishes it.",
        )
    return None


async def admit(meta: Callable[[str], Awaitable[str | None]], *, where: str) -> None:
    """Raises `NotServed` when the database must not be served."""
    marks = {name: value for name in ("moved", "arriving") if (value := await meta(name)) is not None}
    refused = why_not(marks, where=where)
    if refused is not None:
        raise refused
