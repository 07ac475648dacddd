"""Test that each package declares every dependency that it imports."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.repository import tree

# A plug-in's imports belong to its host: a pytest plugin runs inside the API's own pytest.
GUESTS = {"doorward-verify": {"pytest"}}


def _declared(package: str) -> set[str]:
    project = tomllib.loads((tree.ROOT / "packages" / package / "pyproject.toml").read_text("utf-8"))[
        "project"
    ]
    lines: list[str] = list(project.get("dependencies", []))
    for extra in project.get("optional-dependencies", {}).values():
        lines += extra
    names = {re.split(r"[^A-Za-z0-9._-]", line)[0] for line in lines}
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


def imported(source: str) -> set[str]:
    """The top-level names that a module imports, at any place."""
    names: set[str] = set()
    for node in tree.nodes(tree.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize(
    ("package", "source"),
    [("doorward", tree.SERVER), ("doorward-verify", tree.VERIFIER), ("doorward-demo", tree.DEMO)],
)
def test_every_import_is_a_declared_dependency(package: str, source: Path) -> None:
    allowed = _declared(package) | {package} | GUESTS.get(package, set())
    origin = packages_distributions()
    missing: dict[str, str] = {}
    for path in sorted(source.rglob("*.py")):
        for name in imported(path.read_text("utf-8")) - set(sys.stdlib_module_names):
            own = name.replace("_", "-")
            found = {re.sub(r"[-_.]+", "-", d).lower() for d in origin.get(name, [])} | {own}
            if not found & allowed:
                missing[name] = tree.name(path)
    assert not missing, f"packages/{package}/pyproject.toml does not declare {missing}"


def test_imports_are_found_at_any_depth() -> None:
    source = "import a.b\nfrom c import d\ndef f():\n    import e\n    from . import g\n"
    assert imported(source) == {"a", "c", "e"}
