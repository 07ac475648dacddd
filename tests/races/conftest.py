"""Two server processes on one database, shared by the races of one file."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.flows.processes import Fleet, processes


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Generator[Fleet]:
    """At the end neither may have logged an error."""
    with processes(tmp_path_factory.mktemp("fleet"), 2) as started:
        yield started
        assert [server.troubles() for server in started.servers] == [[], []]
