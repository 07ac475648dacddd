"""What is not as it should be? What was expected, and what came instead."""

from __future__ import annotations

from typing import NoReturn


class NotAsItShouldBe(Exception):
    """A step that did not hold. Neither text holds a secret."""

    def __init__(self, expected: str, came: str) -> None:
        self.expected = expected
        self.came = came
        super().__init__(f"expected {expected}; came {came}")


def expect(holds: bool, expected: str, came: object) -> None:
    """Raises `NotAsItShouldBe` unless it holds."""
    if not holds:
        fail(expected, came)


def fail(expected: str, came: object) -> NoReturn:
    """Raises `NotAsItShouldBe`."""
    raise NotAsItShouldBe(expected, str(came))
