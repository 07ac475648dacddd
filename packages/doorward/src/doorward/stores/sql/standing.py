"""May this database be served? Not while it is being filled, and never again once its data has moved out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from doorward.ports.store import StoreUnavailable

MARKS: Final = "SELECT name, value FROM meta WHERE name IN ('arriving', 'moved')"


class NotServed(StoreUnavailable):
    """The database must not be served; the text says where to look instead."""


def why_not(marks: dict[str, str], *, where: str = "The database") -> str | None:
    """The sentence, from the names and values of `meta` that say so; None when all is well."""
    if "moved" in marks:
        return (
            f"{where} has moved to {marks['moved']}: set `database` to that. "
            "(To come back to this one, and lose what was written there since: doorward move --release.)"
        )
    if "arriving" in marks:
        return (
            f"{where} is being filled from {marks['arriving']} and is not complete: "
            "run the same doorward move or restore again, which finishes it."
        )
    return None


async def admit(meta: Callable[[str], Awaitable[str | None]], *, where: str) -> None:
    """Raises `NotServed` when the database must not be served."""
    marks = {name: value for name in ("moved", "arriving") if (value := await meta(name)) is not None}
    said = why_not(marks, where=where)
    if said is not None:
        raise NotServed(said)
