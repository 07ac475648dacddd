"""Several server processes on one fresh database: two on SQLite, three on PostgreSQL."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.flows.conftest import house, pieces, server
from tests.flows.processes import Fleet, processes

__all__ = ["fleet", "house", "pieces", "server"]


@pytest.fixture
def fleet(tmp_path: Path, own_database: str | None) -> Generator[Fleet]:
    """The processes; at the end none may have logged an error."""
    with processes(tmp_path, 3 if own_database else 2, database=own_database) as started:
        yield started
        assert [trouble for server in started.servers for trouble in server.troubles()] == []
