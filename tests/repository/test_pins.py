"""Tests of requirement files: everything installed is pinned, hashed, without an address, and required by a package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.repository import tree
from tools import pin, setup

FOLDER = tree.ROOT / "requirements"
PINNED = sorted(FOLDER.glob("*.txt"))


def _names(text: str) -> set[str]:
    found = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", text, flags=re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


def test_every_set_has_its_two_files() -> None:
    assert {p.stem for p in PINNED} == {p.stem for p in FOLDER.glob("*.in")} == set(pin.SETS)
    assert {name for sets in setup.SETS.values() for name in sets} | {"uv"} == set(pin.SETS)


@pytest.mark.parametrize("path", PINNED, ids=tree.name)
def test_every_line_is_an_exact_version_with_hashes(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "://" not in text
    assert "--index" not in text
    entries = [e for e in re.split(r"\n(?=[A-Za-z0-9])", text) if e and not e.startswith("#")]
    assert entries
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+==[^\s;]+", entry), entry.splitlines()[0]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), f"no hash: {entry.splitlines()[0]}"


@pytest.mark.parametrize("path", PINNED, ids=tree.name)
def test_every_requirement_is_pinned(path: Path) -> None:
    asked = _names(path.with_suffix(".in").read_text("utf-8"))
    assert asked
    assert asked <= _names(path.read_text("utf-8")), "run `make pin`"


def test_the_runtime_sets_match_the_packages_dependencies() -> None:
    for name, text in pin.wanted().items():
        assert (FOLDER / f"{name}.in").read_text("utf-8") == text, f"requirements/{name}.in: run `make pin`"


def test_one_environment_can_hold_all_sets() -> None:
    versions: dict[str, set[str]] = {}
    for path in PINNED:
        for name, version in re.findall(
            r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", path.read_text("utf-8"), re.MULTILINE
        ):
            versions.setdefault(name, set()).add(version)
    assert not {name: found for name, found in versions.items() if len(found) > 1}


@pytest.mark.parametrize(
    "package", ["aiosmtpd", "hypothesis", "joserfc", "playwright", "pyjwt", "pytest", "uv"]
)
def test_no_test_tool_is_installed_with_the_server(package: str) -> None:
    shipped = _names((FOLDER / "runtime.txt").read_text("utf-8")) | _names(
        (FOLDER / "demo.txt").read_text("utf-8")
    )
    assert package not in shipped
