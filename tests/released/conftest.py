"""Fixture for a copy of what the released commit stored, opened by today's code, shared by the tests of one file."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.engines import Engine
from tests.released.held import Held, opened


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory, engine: Engine, database: str | None) -> Generator[Held]:
    """With the clock at the time of the writing."""
    with opened(engine, tmp_path_factory.mktemp("released"), database) as old:
        yield old
