"""A PostgreSQL per module, to be stopped, killed, frozen or filled; no other module uses it."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.postgres import Postgres, postgres_server


@pytest.fixture(scope="module")
def frail(postgres_programs: Path) -> Generator[Postgres]:
    """The server; it runs at the start of each test, whatever the last test did to it."""
    assert postgres_programs
    with postgres_server() as server:
        yield server


@pytest.fixture
def frail_url(frail: Postgres) -> Generator[str]:
    """A fresh database on it."""
    url = frail.create()
    try:
        yield url
    finally:
        frail.thaw()
        if not frail.ready():
            frail.kill()
            frail.start()
        frail.drop(url)
