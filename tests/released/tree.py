"""The released commit: its id, its tree from git's history, and the folder of the data that it wrote."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from tools.system import ROOT, Missing

COMMIT = "bb61c5647cba362c5bb56471a9b732727b3f9250"
HERE = Path(__file__).parent / "bb61c56"


def history() -> str | Missing:
    """The commit, if git's history has it; an archive of the sources has none."""
    asked = ["git", "cat-file", "-e", f"{COMMIT}^{{tree}}"]
    try:
        found = subprocess.run(asked, cwd=ROOT, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        found = False
    return COMMIT if found else Missing("the released tree", f"git's history does not have {COMMIT[:7]} here")


def extract(folder: Path) -> Path:
    """Extract the tree of that commit into `folder`."""
    data = subprocess.run(["git", "archive", COMMIT], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        # `filter` came with Python 3.11.4; Debian 12 has an older one
        if hasattr(tarfile, "data_filter"):
            archive.extractall(folder, filter="data")
        else:
            archive.extractall(folder)
    return folder


def sources(tree: Path) -> tuple[Path, ...]:
    """The folders of its two packages, for PYTHONPATH: they precede the installed ones."""
    return tuple(tree / "packages" / name / "src" for name in ("doorward", "doorward-verify"))
