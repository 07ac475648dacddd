"""Fixtures of the storage tests: an opener, one open store, and a second one on the same database."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from doorward.storage.sql.store import Store
from tests.lent import Lender
from tests.postgres import Databases
from tests.storage.stores import STORES, Opener
from tests.storage.years import Years, turned

WHOLE = ("tests.storage.test_commit", "tests.storage.test_exchanges", "tests.storage.test_relatives")
"""Modules whose tests run on the imitated relative of PostgreSQL in `make test` too; the others do in the soak."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a test once for each store; only for those that the module or the test (`stores.on`) names, if it needs
    features of one engine."""
    if "opener" in metafunc.fixturenames:
        kinds = getattr(metafunc.module, "KINDS", sorted(STORES))
        kinds = getattr(metafunc.function, "kinds", kinds)
        later = metafunc.function.__module__ not in WHOLE
        metafunc.parametrize(
            "opener",
            [pytest.param(k, marks=pytest.mark.soak) if later and k == "relative" else k for k in kinds],
            indirect=True,
        )


@pytest.fixture
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the store under test, any number of times, on one database. The caller closes it. The database has been migrated, unless
    the module says `MIGRATED = False`."""
    kind: str = request.param
    store = STORES[kind]
    migrated = getattr(request.module, "MIGRATED", True)
    if migrated and store.prepare:
        lender: Lender = request.getfixturevalue("lender")
        with lender.lend(kind, store.prepare) as url:
            yield Opener(kind, url)
        return
    place = store.place(tmp_path, request)
    if migrated and kind == "sqlite":
        shutil.copy(request.getfixturevalue("migrated"), place)
        Path(place).chmod(0o600)
    yield Opener(kind, place)


@pytest.fixture
async def store(opener: Opener) -> AsyncIterator[Store]:
    """One open, empty store."""
    opened = await opener()
    yield opened
    await opened.close()


@pytest.fixture
async def other(opener: Opener, store: Store) -> AsyncIterator[Store]:
    """A second store object on the same database, as another process has one."""
    assert store
    opened = await opener()
    yield opened
    await opened.close()


@pytest.fixture
async def years(postgres: Databases, postgres_url: str) -> AsyncIterator[Years]:
    """A database whose date the test sets."""
    async with turned(postgres, postgres_url) as passing:
        yield passing
