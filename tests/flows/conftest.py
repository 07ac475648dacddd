"""A server that the flows of one file share, and its apps and people."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.flows.running import Running, running
from tests.flows.seeds import House, seed


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database: str | None) -> Generator[Running]:
    """http on loopback, in this process. At the end the log must contain no error."""
    folder: Path = tmp_path_factory.mktemp("server")
    with running(folder, database=database) as started:
        yield started
        assert started.troubles() == []


@pytest.fixture(scope="module")
def house(server: Running) -> Generator[House]:
    """The apps and people of that server."""
    made = seed(server)
    yield made
    made.close()
