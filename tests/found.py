"""What does a test do whose program is not on this machine? It is left out, and counted; in CI, where it has to be there, it fails."""

from __future__ import annotations

from typing import TypeVar

import pytest

from tools import system

T = TypeVar("T")


def found(looked_for: T | system.Missing) -> T:
    """What was looked for, for a fixture to hand out."""
    if isinstance(looked_for, system.Missing):
        if system.must_be_there():
            pytest.fail(f"{looked_for}; in CI it has to be there", pytrace=False)
        pytest.skip(str(looked_for))
    return looked_for
