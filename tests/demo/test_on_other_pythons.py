"""The whole flow on every other Python that this machine has.

Once, when all tests ran on 3.11 only, an image with 3.13 answered 400.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.demo import running
from tests.waiting import PATIENCE
from tools.pythons import others


def test_the_flow_runs_on_the_newest(tmp_path: Path) -> None:
    pythons = others()
    if not pythons:
        pytest.skip(
            f"no other Python from 3.11 on than {sys.version.split()[0]}: the flow ran on this one only"
        )
    newest = list(pythons)[-1]
    the_flow_runs_on(newest, pythons[newest], tmp_path)


@pytest.mark.soak
def test_the_flow_runs_on_all_the_others(tmp_path: Path) -> None:
    for version, python in list(others().items())[:-1]:
        (tmp_path / version).mkdir()
        the_flow_runs_on(version, python, tmp_path / version)


def the_flow_runs_on(version: str, python: Path, tmp_path: Path) -> None:
    home = running.ROOT / "build" / "pythons" / version
    home.parent.mkdir(parents=True, exist_ok=True)
    setting_up = subprocess.run(
        [python, "tools/setup.py", "dev"],
        cwd=running.ROOT,
        env={**os.environ, "DOORWARD_VENV": str(home)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert setting_up.returncode == 0, setting_up.stderr
    demo = subprocess.run(
        [home / "bin" / "python", "-m", "doorward", "demo", "--json"],
        cwd=tmp_path,
        env=running.environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=running.PATIENCE,
        check=False,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert msgspec.json.decode(running.steps(demo.stdout)[-1])
    assert running.nothing_left(tmp_path)
