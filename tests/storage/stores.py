"""Stores under test, and how each is opened. A further store is one more entry of `STORES`.

A place is text ("sqlite /tmp/x/doorward.db"), so that another process can open the same one.
"""

from __future__ import annotations

import asyncio
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
    """Returns the place of a new, empty database."""

    def __call__(self, folder: Path, request: pytest.FixtureRequest) -> str: ...


class Open(Protocol):
    """Opens a database, and creates it if missing."""

    async def __call__(self, place: str, *, migrate: bool = True) -> Store: ...


class Kind(NamedTuple):
    """`engine` determines the migrations. `prepare` makes them in an empty database that is then lent to one test after another, if it is
    not the database of the fixture `postgres_url`."""

    engine: str
    place: Place
    open: Open
    prepare: Callable[[Databases, str], None] | None = None


async def _open(place: str, *, migrate: bool = True) -> Store:
    return await open_store(place, migrate=migrate)


async def _open_relative(place: str, *, migrate: bool = True) -> Store:
    """PostgreSQL treated as a compatible engine: plain tables without triggers and months, and each statement
    separately."""

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
    """Every transaction is serializable, and some must be retried, as on the distributed engines."""
    url = _database(folder, request)
    _make_serializable(request.getfixturevalue("postgres"), url)
    return url


def _make_serializable(server: Databases, url: str) -> None:
    name = urlsplit(url).path[1:]
    server.query(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")


def _prepare_relative(server: Databases, url: str) -> None:
    async def opened() -> None:
        await (await _open_relative(url)).close()

    _make_serializable(server, url)
    asyncio.run(opened())


RELATIVE = "cockroach"
STORES = {
    "sqlite": Kind("sqlite", place=_file, open=_open),
    "postgres": Kind("postgres", place=_database, open=_open),
    "relative": Kind(RELATIVE, place=_serializable, open=_open_relative, prepare=_prepare_relative),
}

THEMSELVES = ("sqlite", "postgres")
"""Engines that themselves protect the audit log from changes, and queue hundreds of writers of one row. Compatible
engines leave the first to the program, and answer the second with a retryable error
(tests/storage/test_postgres_serializable.py)."""
Test = TypeVar("Test", bound=Callable[..., object])


def on(*kinds: str) -> Callable[[Test], Test]:
    """For a test of only some stores."""

    def chosen(test: Test) -> Test:
        vars(test)["kinds"] = kinds
        return test

    return chosen


class Opener(NamedTuple):
    """Opens one database any number of times: two store objects on it correspond to two server processes."""

    kind: str
    place: str

    @property
    def engine(self) -> str:
        """The engine whose migrations it gets."""
        return STORES[self.kind].engine

    async def __call__(self, *, migrate: bool = True) -> Store:
        return await STORES[self.kind].open(self.place, migrate=migrate)
