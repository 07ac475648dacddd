"""Tests of `make check`: the types are checked again after any change of what the checker reads, and only then."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import check


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one module, one pinned library and the settings of the checker."""
    (tmp_path / "src").mkdir()
    (tmp_path / "requirements").mkdir()
    (tmp_path / "src" / "one.py").write_text("x = 1\n", "utf-8")
    (tmp_path / "requirements" / "check.txt").write_text("a==1\n", "utf-8")
    (tmp_path / "pyproject.toml").write_text('[tool.basedpyright]\ninclude = ["src"]\n', "utf-8")
    monkeypatch.setattr(check, "ROOT", tmp_path)
    monkeypatch.setattr(check, "STAMP", tmp_path / "build" / "types")
    return tmp_path


def checked(sources: Path, status: int = 0) -> bool:
    """Whether the checker ran. It ends with this status."""
    ran = sources / "ran"
    ran.unlink(missing_ok=True)
    program = f"import pathlib, sys; pathlib.Path({str(ran)!r}).touch(); sys.exit({status})"
    assert check.types("types", [sys.executable, "-c", program]) is (status == 0 or not ran.exists())
    return ran.exists()


def renamed(sources: Path) -> None:
    (sources / "src" / "one.py").rename(sources / "src" / "two.py")


@pytest.mark.parametrize(
    "change",
    [
        lambda sources: (sources / "src" / "one.py").write_text("x = 2\n", "utf-8"),
        lambda sources: (sources / "src" / "more.pyi").write_text("y: int\n", "utf-8"),
        lambda sources: (sources / "src" / "one.py").unlink(),
        renamed,
        lambda sources: (sources / "requirements" / "check.txt").write_text("a==2\n", "utf-8"),
        lambda sources: (sources / "pyproject.toml").write_text(
            '[tool.basedpyright]\ninclude = ["src"]\nstrict = ["src"]\n', "utf-8"
        ),
    ],
    ids=["changed", "added", "removed", "renamed", "another library", "other settings"],
)
def test_types_are_checked_again_after_a_change(sources: Path, change: Callable[[Path], object]) -> None:
    assert checked(sources)
    assert not checked(sources)
    change(sources)
    assert checked(sources)
    assert not checked(sources)


def test_types_that_failed_are_checked_again(sources: Path) -> None:
    assert checked(sources)
    (sources / "src" / "one.py").write_text("x: int = ''\n", "utf-8")
    assert checked(sources, status=1)
    (sources / "src" / "one.py").write_text("x = 1\n", "utf-8")
    assert checked(sources), "what was well before the failure is not remembered"
