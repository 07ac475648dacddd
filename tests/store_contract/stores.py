"""Which stores must keep the contract, and how is each opened? A store is one more entry of `STORES`.

A place is text ("sqlite /tmp/x/doorward.db"), so that another process can be told to open the same one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from doorward.ports.store import Store
from doorward.stores.sql.open import open_store


class Kind(NamedTuple):
    """`place` makes up where a new, empty database is; `open` opens it, and makes it where it is not there."""

    place: Callable[[Path, pytest.FixtureRequest], str]
    open: Callable[[str], Awaitable[Store]]


STORES = {
    "sqlite": Kind(place=lambda folder, _: str(folder / "doorward.db"), open=open_store),
    "postgres": Kind(place=lambda _, request: request.getfixturevalue("postgres_url"), open=open_store),
}


class Opener(NamedTuple):
    """Opens one database as often as asked: two store objects on it are what two server processes have."""

    kind: str
    place: str

    async def __call__(self) -> Store:
        return await STORES[self.kind].open(self.place)
