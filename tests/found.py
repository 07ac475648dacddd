"""Check for external programs: without one, the test is skipped and counted; in CI, where it must exist, the test fails."""

from __future__ import annotations

from typing import TypeVar

import pytest

from tools import system

T = TypeVar("T")


def found(looked_for: T | system.Missing) -> T:
    """The path that was found, as the value of a fixture."""
    if isinstance(looked_for, system.Missing):
        if system.must_be_there():
            pytest.fail(f"{looked_for}; in CI it has to be there", pytrace=False)
        pytest.skip(str(looked_for))
    return looked_for
