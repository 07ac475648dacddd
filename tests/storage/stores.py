"""Which stores must keep the contract, and how is each opened? A store is one more entry of `STORES`.

A place is text ("sqlite /tmp/x/doorward.db"), so that another process can be told to open the same one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

import pytest

from doorward.storage.postgres import database as postgres
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store
from tests.postgres import Databases


class Place(Protocol):
    """Makes up where a new, empty database is."""

    def __call__(self, folder: Path, request: pytest.FixtureRequest) -> str: ...


class Open(Protocol):
    """Opens a database, and makes it where it is not there."""

    async def __call__(self, place: str, *, migrate: bool = True) -> Store: ...


class Kind(NamedTuple):
    """`engine` says which migrations it has."""

    engine: str
    place: Place
    open: Open


async def _open(place: str, *, migrate: bool = True) -> Store:
    return await open_store(place, migrate=migrate)


async def _open_relative(place: str, *, migrate: bool = True) -> Store:
    """PostgreSQL, taken for one of its relatives: plain tables without triggers and months, and each statement by itself."""

    async def taken_for(_: object) -> str:
        return RELATIVE

    right, postgres._engine = postgres._engine, taken_for
    try:
        return await open_store(place, migrate=migrate)
    finally:
        postgres._engine = right


def _file(folder: Path, request: pytest.FixtureRequest) -> str:
    del request
    return str(folder / "doorward.db")


def _database(folder: Path, request: pytest.FixtureRequest) -> str:
    del folder
    return request.getfixturevalue("postgres_url")


def _serializable(folder: Path, request: pytest.FixtureRequest) -> str:
    """Every transaction is serializable there, and some are told to begin again, as on the distributed engines."""
    url, server = _database(folder, request), request.getfixturevalue("postgres")
    assert isinstance(server, Databases)
    name = urlsplit(url).path[1:]
    server.query(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    return url


RELATIVE = "cockroach"
STORES = {
    "sqlite": Kind("sqlite", place=_file, open=_open),
    "postgres": Kind("postgres", place=_database, open=_open),
    "relative": Kind(RELATIVE, place=_serializable, open=_open_relative),
}

THEMSELVES = ("sqlite", "postgres")
"""Engines that see to it themselves that the record is never changed, and that hundreds who change one row at once wait for one another;
the relatives leave the first to the program and answer the second with "come again" (tests/storage/test_postgres_serializable.py)."""
Test = TypeVar("Test", bound=Callable[..., object])


def on(*kinds: str) -> Callable[[Test], Test]:
    """For a test that is about some of the stores alone."""

    def chosen(test: Test) -> Test:
        vars(test)["kinds"] = kinds
        return test

    return chosen


class Opener(NamedTuple):
    """Opens one database as often as asked: two store objects on it are what two server processes have."""

    kind: str
    place: str

    @property
    def engine(self) -> str:
        """Whose migrations it gets."""
        return STORES[self.kind].engine

    async def __call__(self, *, migrate: bool = True) -> Store:
        return await STORES[self.kind].open(self.place, migrate=migrate)
