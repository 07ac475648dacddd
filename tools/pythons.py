"""Other installed Python versions that Doorward supports."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.setup import OLDEST

_VERSION = re.compile(r"(\d+)\.(\d+)\.\d+")


def others() -> dict[str, Path]:
    """One interpreter for each minor version, `{"3.13": path}`, from the oldest supported one on, without the
    running one."""
    found: dict[tuple[int, int], Path] = {}
    for python in _candidates():
        version = _version(python)
        if version is not None and version >= OLDEST and version != sys.version_info[:2]:
            found.setdefault(version, python)
    return {f"{major}.{minor}": found[major, minor] for major, minor in sorted(found)}


def _candidates() -> list[Path]:
    named = [shutil.which(f"python3.{minor}") for minor in range(OLDEST[1], OLDEST[1] + 12)]
    # the owner's real home: in a bare environment HOME has another value or none
    homes = {Path(pwd.getpwuid(os.getuid()).pw_dir), Path.home()}
    kept = [python for home in sorted(homes) for python in home.glob(".pyenv/versions/3.*/bin/python3")]
    return [Path(name) for name in named if name] + sorted(kept)


def _version(python: Path) -> tuple[int, int] | None:
    try:
        said = subprocess.run(
            [python, "-c", "import sys, venv, ensurepip; print(sys.version.split()[0])"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # a Python without venv cannot hold the libraries; a pre-release or a broken shim prints no such version
    match = _VERSION.fullmatch(said.stdout.strip())
    return (int(match[1]), int(match[2])) if match and said.returncode == 0 else None
