"""Tests that every rule has its own test, and that every plug-in is on its explicit list."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.repository import tree

RULES = tree.rules()
# folder of plug-ins -> the list that names them, and those that it need not name
PLUGS = {
    "authn/factors": ("authn/index.py", set[str]()),
    "oauth/grants": ("oauth/index.py", set[str]()),
    "oauth/client_auth/methods": ("oauth/index.py", set[str]()),
}


def _imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in tree.nodes(tree.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _fault(rule: Path) -> str | None:
    where = rule.relative_to(tree.SERVER)
    test = tree.ROOT / "tests" / where.parent / f"test_{where.name}"
    if not test.is_file():
        return f"{tree.name(rule)}: its test belongs in {tree.name(test)}"
    source = test.read_text("utf-8")
    if "def test" not in source:
        return f"{tree.name(test)} holds no test"
    if tree.dotted(rule) not in _imported(source):
        return f"{tree.name(test)} never imports {tree.dotted(rule)}"
    return None


def test_every_rule_has_its_own_test() -> None:
    assert RULES, "no rule found: this test would check nothing"
    faults = [fault for rule in RULES if (fault := _fault(rule))]
    assert not faults, "\n".join(["a rule without its own test:", *faults])


@pytest.mark.parametrize("folder", PLUGS)
def test_every_plug_in_is_on_the_explicit_list(folder: str) -> None:
    places = sorted(p for p in (tree.SERVER / "features" / folder).iterdir() if (p / "__init__.py").is_file())
    assert places
    name, known = PLUGS[folder]
    index = tree.SERVER / "features" / name
    listed = _imported(index.read_text("utf-8"))
    missing = {p.name for p in places if not any(name.startswith(f"{tree.dotted(p)}.") for name in listed)}
    assert missing == known, f"{tree.name(index)} does not list {missing - known}"


def test_every_mandatory_check_is_in_the_table() -> None:
    oauth = tree.SERVER / "features" / "oauth"
    places = {"authorize": ("openid", "pkce"), "clients": ("redirect_uri", "scope")}
    checks = [
        tree.dotted(oauth / room / "rules" / f"{check}.py")
        for room, names in places.items()
        for check in names
    ]
    users: set[str] = set()
    for path in (oauth / "authorize" / "rules").glob("*.py"):
        users |= _imported(path.read_text("utf-8"))
    missing = [check for check in checks if check not in users]
    assert not missing, f"these checks are not run by the authorization endpoint: {missing}"
