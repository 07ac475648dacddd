"""One `doorward dev` for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.demo import running


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Dev]:
    """The server and the demo app, in a folder of their own."""
    with running.dev(tmp_path_factory.mktemp("dev")) as started:
        yield started
