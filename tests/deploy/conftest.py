"""Programs that a deployment is made of, where they are installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.found import found
from tools import system


@pytest.fixture(scope="session")
def nginx() -> Path:
    """Where nginx is; the test is left out, and counted, where it cannot be had."""
    return found(system.nginx())
