"""Imports of `dev` and `demo`: they start processes, and import nothing of the server except its commands and
its administration."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import doorward_demo

ROOMS = Path(doorward_demo.__file__).parent
ABOVE = (
    "doorward.app",
    "doorward.server",
    "doorward.ops",
    "doorward.cluster",
    "doorward.settings",
    "doorward.adapters",
    "doorward.storage",
    "doorward.web",
    "doorward.cli",
)


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize(
    ("room", "also_not"),
    [("dev", ("doorward_demo.demo",)), ("demo", ("doorward.features", "doorward.core"))],
)
def test_no_module_imports_an_upper_layer(room: str, also_not: tuple[str, ...]) -> None:
    modules = sorted((ROOMS / room).rglob("*.py"))
    assert len(modules) > 5
    wrong = [
        f"{path.relative_to(ROOMS)}: {name}"
        for path in modules
        for name in imported(path)
        if any(name == top or name.startswith(f"{top}.") for top in (*ABOVE, *also_not))
    ]
    assert wrong == []


def test_a_child_loads_nothing_that_only_its_parent_needs() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import sys, doorward_demo.dev.child; print(*sys.modules)"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(said.stdout.split())
    assert "doorward_demo.dev.child" in loaded
    assert loaded.isdisjoint({"rich", "typer", "httpx2", "doorward", "asyncio"})
