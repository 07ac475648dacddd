"""Fixtures for installed programs that a deployment needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.found import found
from tools import system


@pytest.fixture(scope="session")
def nginx() -> Path:
    """The path of nginx. Without nginx the test is skipped, and counted."""
    return found(system.nginx())
