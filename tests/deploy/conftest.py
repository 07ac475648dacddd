"""Programs that a deployment is made of, where they are installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import system


@pytest.fixture(scope="session")
def nginx() -> Path:
    """Where nginx is; the test is left out, and counted, where it cannot be had."""
    found = system.nginx()
    if isinstance(found, system.Missing):
        if system.must_be_there():
            pytest.fail(f"{found}; in CI it has to be there", pytrace=False)
        pytest.skip(str(found))
    return found
