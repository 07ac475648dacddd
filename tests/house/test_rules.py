"""Has every rule its own test, and is every plug on the explicit list?"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house import tree

RULES = tree.modules(tree.RULES)
# folder of plugs -> the module that lists them, by hand
PLUGS = {
    "prove/factors": "index.py",
    "issue/grants": "index.py",
    "identify/providers": "index.py",
    "identify/client_auth": "index.py",
}


def _imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _dotted(path: Path) -> str:
    return "doorward." + ".".join(path.relative_to(tree.SERVER).with_suffix("").parts)


def _fault(rule: Path) -> str | None:
    where = rule.relative_to(tree.RULES)
    test = tree.ROOT / "tests" / "rules" / where.parent / f"test_{where.name}"
    if not test.is_file():
        return f"{tree.name(rule)}: its test belongs in {tree.name(test)}"
    source = test.read_text("utf-8")
    if "def test" not in source:
        return f"{tree.name(test)} holds no test"
    if _dotted(rule) not in _imported(source):
        return f"{tree.name(test)} never imports {_dotted(rule)}"
    return None


def test_every_rule_has_a_test_of_its_own() -> None:
    assert RULES, f"no rule below {tree.name(tree.RULES)}: this test would pass over nothing"
    faults = [fault for rule in RULES if (fault := _fault(rule))]
    assert not faults, "\n".join(["a rule without its own test:", *faults])


@pytest.mark.parametrize("folder", PLUGS)
def test_every_plug_is_on_the_explicit_list(folder: str) -> None:
    plugs = [p for p in sorted((tree.RULES / folder).glob("*.py")) if not p.name.startswith("_")]
    if not plugs:
        return
    index = tree.RULES / PLUGS[folder]
    assert index.is_file(), f"{tree.name(index)} is the explicit list of what stands in rules/{folder}"
    listed = _imported(index.read_text("utf-8"))
    # listed itself, or by a name that is imported from it
    missing = [_dotted(p) for p in plugs if _dotted(p) not in listed]
    assert not missing, f"{tree.name(index)} does not list {missing}"


def test_every_mandatory_check_is_in_the_table() -> None:
    checks = [
        _dotted(p) for p in sorted((tree.RULES / "permit" / "checks").glob("*.py")) if p.name != "__init__.py"
    ]
    users: set[str] = set()
    for path in (tree.RULES / "permit").glob("*.py"):
        users |= _imported(path.read_text("utf-8"))
    missing = [check for check in checks if check not in users]
    assert not missing, f"a check that nothing in rules/permit runs protects nobody: {missing}"
