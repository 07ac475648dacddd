"""Tests of the make targets and the programs that they run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import tree
from tools import setup, system
from tools.targets import targets

MAKEFILE = (tree.ROOT / "Makefile").read_text("utf-8")
PROMISED = {"help", "setup", "dev", "demo", "test", "check", "bench", "soak", "format", "clean"}


def test_every_target_is_listed_with_a_description() -> None:
    phony = set(re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split())  # type: ignore[index]
    listed = {name for name, _ in targets(MAKEFILE)}
    assert phony == listed
    assert phony >= PROMISED
    for name in listed:
        recipe = re.search(rf"^{name}:.*\n\t(.*)$", MAKEFILE, re.MULTILINE)
        assert recipe is not None
        assert re.match(r'@echo "make: .+" >&2$', recipe[1]), f"{name} has no description"


def test_ci_runs_check_and_test() -> None:
    script = tree.ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    commands = [
        line.split()[:2] for line in script.read_text("utf-8").splitlines() if line.startswith("make ")
    ]
    assert commands == [["make", "check"], ["make", "test"]]


def test_setup_needs_only_the_standard_library() -> None:
    out = subprocess.run(
        [sys.executable, "-I", "-S", str(tree.ROOT / "tools" / "setup.py"), "nonsense"],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert out.returncode == 2
    assert "say one of: dev, test, check, bench, all" in out.stderr


def test_a_changed_requirement_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in {"uv", *setup.SETS["dev"]}:
        (tmp_path / f"{name}.txt").write_text("a==1\n", "utf-8")
    monkeypatch.setattr(setup, "REQUIREMENTS", tmp_path)
    before = setup.wanted(setup.SETS["dev"])
    assert setup.wanted(setup.SETS["dev"]) == before
    (tmp_path / "runtime.txt").write_text("a==2\n", "utf-8")
    after = setup.wanted(setup.SETS["dev"])
    assert {name for name in before if before[name] != after[name]} == {"runtime"}


def test_a_stamp_of_another_python_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "STAMP", tmp_path / "stamp.json")
    assert setup.installed() == {}
    python = str(setup.venv_python().resolve())
    setup.STAMP.write_text(json.dumps({"python": "/nowhere/python", "files": {"uv": "x"}}), "utf-8")
    assert setup.installed() == {}
    setup.STAMP.write_text(json.dumps({"python": python, "files": {"uv": "x"}}), "utf-8")
    assert setup.installed() == ({"uv": "x"} if setup.venv_python().exists() else {})
    setup.STAMP.write_text("{half", "utf-8")
    assert setup.installed() == {}


def test_a_missing_chromium_that_was_named_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_CHROMIUM", "/nowhere/chromium")
    found = system.chromium()
    assert isinstance(found, system.Missing)
    assert "/nowhere/chromium" in found.why


def test_a_missing_program_fails_in_ci_and_skips_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "_debian_root", lambda: True)
    monkeypatch.setenv("CI", "true")
    assert system.must_be_there()
    monkeypatch.delenv("CI")
    assert not system.must_be_there()
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(system, "_debian_root", lambda: False)
    assert not system.must_be_there()


@pytest.mark.parametrize(("ci", "outcome"), [("", "skipped=1"), ("true", "errors=1")])
def test_a_skip_is_counted_at_the_end_and_refused_in_ci(tmp_path: Path, ci: str, outcome: str) -> None:
    """A run of pytest with our conftest and without Chromium reports the skip."""
    (tmp_path / "test_page.py").write_text("def test_page(chromium): assert chromium\n", "utf-8")
    text = (tree.ROOT / "tests" / "conftest.py").read_text("utf-8")
    text += "\nsystem._debian_root = lambda: True\n"
    (tmp_path / "conftest.py").write_text(text, "utf-8")
    env = {**os.environ, "CI": ci, "DOORWARD_CHROMIUM": "/nowhere/chromium", "PYTHONPATH": str(tree.ROOT)}
    for name in [n for n in env if n.startswith("PYTEST_")]:
        del env[name]
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    out = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={tmp_path}/out.xml",
         "--rootdir", str(tmp_path), "-c", os.devnull, str(tmp_path)],
        env=env, capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    key, value = outcome.split("=")
    xml = (tmp_path / "out.xml").read_text("utf-8")
    assert f'{key}="{value}"' in xml.replace('errors="0"', ""), out.stdout
    if ci:
        assert out.returncode == 1
        assert "in CI it has to be there" in out.stdout
    else:
        assert "left out: 1" in out.stdout
        assert "1 × Chromium: DOORWARD_CHROMIUM names no file" in out.stdout
