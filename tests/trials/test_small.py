"""Small cluster trial: nodes on PostgreSQL die under load for some seconds, on ports, without an effect on clients."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.soak
@pytest.mark.requirement(18)
def test_nodes_die_under_load_and_nobody_is_signed_out_and_nothing_spent_twice(
    postgres_programs: Path,
) -> None:
    out = subprocess.run(
        [sys.executable, "-m", "trials.cluster", "--small", "--ports", "--own-proxy", "--no-failover",
         "--people", "24", "--seconds", "12", "--every", "3", "--measurements", "0"],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={**os.environ, "DOORWARD_TEST_POSTGRES_BIN": str(postgres_programs)},
    )  # fmt: skip
    assert out.returncode == 0, out.stdout + out.stderr
