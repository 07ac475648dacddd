"""Two server processes on one fresh database."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.flows.processes import Fleet, processes


@pytest.fixture
def fleet(tmp_path: Path) -> Generator[Fleet]:
    """At the end neither may have logged an error."""
    with processes(tmp_path, 2) as started:
        yield started
        assert [server.troubles() for server in started.servers] == [[], []]
