"""Failure of a step: the expected and the actual result."""

from __future__ import annotations

from typing import NoReturn


class NotAsItShouldBe(Exception):
    """A failed step. Neither text contains a secret."""

    def __init__(self, expected: str, came: str) -> None:
        self.expected = expected
        self.came = came
        super().__init__(f"expected {expected}; came {came}")


def expect(holds: bool, expected: str, came: object) -> None:
    """Raises `NotAsItShouldBe` unless `holds` is true."""
    if not holds:
        fail(expected, came)


def fail(expected: str, came: object) -> NoReturn:
    """Raises `NotAsItShouldBe`."""
    raise NotAsItShouldBe(expected, str(came))
