"""Secret scanners with the published expression as their only rule: they find a planted API key, and nothing in what is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from doorward.features.api_keys.rules.key_format import PATTERN, write
from tests.repository import tree

pytestmark = [pytest.mark.soak, pytest.mark.requirement(17)]
GITLEAKS = "github.com/zricethezav/gitleaks/v8@v8.30.1"
PLUGIN = f'''"""The expression of Doorward's API keys."""

import re

from detect_secrets.plugins.base import RegexBasedDetector


class DoorwardApiKeyDetector(RegexBasedDetector):
    secret_type = "Doorward API key"
    denylist = [re.compile(r"{PATTERN}")]
'''


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Path, str]:
    """A folder with a file that holds a key, among others, and the key."""
    key = write("key_" + "01992f3c" * 4, b"planted in a file, not a real one"[:32])
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "deploy.sh").write_text(f'#!/bin/sh\nexport API_KEY="{key}"\ncurl -d api_key="$API_KEY"\n')
    (folder / "notes.txt").write_text("dwk_ begins a key, and dwk_0123456789abcdef is none\n")
    return folder, key


def installed() -> list[Path]:
    """The virtual environment, and the packages of Node that tests installed."""
    found = [Path(sys.prefix), *(path for path in tree.ROOT.glob("*/**/node_modules") if path.is_dir())]
    return [
        path for path in found if not any(path != other and path.is_relative_to(other) for other in found)
    ]


def run(command: Sequence[str | Path], *, allowed: Sequence[int] = (0,), cwd: Path | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=840,
        check=False,
        cwd=cwd,
        env={**os.environ, "GOFLAGS": "-mod=mod"},
    )
    assert done.returncode in allowed, done.stderr[-2000:]
    return done.stdout


def test_gitleaks_finds_a_planted_key_and_nothing_else(planted: tuple[Path, str], tmp_path: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("there is no Go, from whose modules gitleaks is built")
    folder, key = planted
    config = tmp_path / "gitleaks.toml"
    config.write_text(
        f"[[rules]]\nid = \"doorward-api-key\"\ndescription = \"Doorward API key\"\nregex = '''{PATTERN}'''\nkeywords = [\"dwk_\"]\n"
    )
    subprocess.run(
        ["go", "install", GITLEAKS],
        check=True,
        timeout=840,
        capture_output=True,
        env={**os.environ, "GOBIN": str(tmp_path / "bin"), "GOFLAGS": "-modcacherw"},
    )

    def found(place: Path) -> list[str]:
        report = tmp_path / "report.json"
        command = [tmp_path / "bin" / "gitleaks", "dir", place, "--config", config, "--report-path", report]
        run([*command, "--no-banner", "--exit-code", "0", "--max-target-megabytes", "50"])
        return [one["Secret"] for one in json.loads(report.read_text("utf-8"))]

    assert found(folder) == [key]
    for place in installed():
        assert found(place) == []


def test_detect_secrets_finds_a_planted_key_and_nothing_else(
    planted: tuple[Path, str], tmp_path: Path
) -> None:
    folder, key = planted
    scanner = tmp_path / "scanner"
    run([sys.executable, "-m", "venv", scanner])
    run([scanner / "bin" / "python", "-m", "pip", "install", "-q", "detect-secrets==1.5.0"])
    plugin = tmp_path / "doorward_plugin.py"
    plugin.write_text(PLUGIN)
    program = tmp_path / "scan.py"
    program.write_text(
        "import json, sys\n"
        "from pathlib import Path\n"
        "from detect_secrets.core.scan import scan_file\n"
        "from detect_secrets.settings import transient_settings\n"
        f"rule = {{'plugins_used': [{{'name': 'DoorwardApiKeyDetector', 'path': 'file://{plugin}'}}], 'filters_used': []}}\n"
        "with transient_settings(rule):\n"
        "    found = [one.secret_value for path in sorted(Path(sys.argv[1]).rglob('*'))\n"
        "             if path.is_file() for one in scan_file(str(path))]\n"
        "print(json.dumps(found))\n"
    )

    def found(place: Path) -> list[str]:
        return json.loads(run([scanner / "bin" / "python", program, place]))

    assert found(folder) == [key]
    for place in installed():
        assert found(place) == []
