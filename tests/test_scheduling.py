"""Tests of the order in which workers of pytest take files."""

from __future__ import annotations

import pytest

from tests.scheduling import next_file

WAITING = frozenset({"browser", "test_lost_feed.py"})
FILES = ["tests/browser/test_a.py", "tests/core/test_b.py", "tests/verify/test_lost_feed.py"]


@pytest.mark.parametrize(
    ("files", "waits", "expected"),
    [
        (FILES, True, "tests/browser/test_a.py"),
        (FILES, False, "tests/core/test_b.py"),
        (FILES[1:], True, "tests/verify/test_lost_feed.py"),
        # none of its own kind is left
        (FILES[:1], False, "tests/browser/test_a.py"),
        (FILES[1:2], True, "tests/core/test_b.py"),
    ],
)
def test_a_worker_takes_the_first_file_of_its_kind_or_of_the_other(
    files: list[str], waits: bool, expected: str
) -> None:
    assert next_file(files, WAITING, waits=waits) == expected
