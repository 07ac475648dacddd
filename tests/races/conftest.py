"""Several server processes on one database, shared by the races of one file: two on SQLite, three on PostgreSQL."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.flows.processes import Fleet, processes


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, database: str | None) -> Generator[Fleet]:
    """The processes; at the end none may have logged an error."""
    with processes(tmp_path_factory.mktemp("fleet"), 3 if database else 2, database=database) as started:
        yield started
        assert [trouble for server in started.servers for trouble in server.troubles()] == []
