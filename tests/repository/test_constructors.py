"""Rules for objects: built with keywords, used through named methods, without reaching through one another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.repository import tree

CALLED: dict[str, str] = {
    "web/router.py App": "ASGI calls its application",
    "web/router.py Server": "ASGI calls its application",
}
"""Classes that define `__call__`, with the reason."""
CALLED_STILL: set[str] = set()
"""Those that still need a named method: remove what has one."""

MOST_POSITIONAL = 3
"""Positional parameters that a constructor may have. Records (`msgspec.Struct`) that no `build.py` builds are values, and exempt."""
POSITIONAL_STILL: set[str] = set()
"""Those that must still become keyword-only: remove what is."""
POSITIONAL_STILL_IN = {"web/pages/views", "web/pages/static.py"}
"""Places whose values must still become keyword-only."""

DEEPEST = 3
"""Attributes after a name: `self.store.accounts.get` is the verb of a noun of the store, `self.own.arrival.steps.link` reaches through."""
DEEPER_STILL: set[str] = set()
"""Files that still exceed that depth."""

BUILT_STILL: set[str] = set()
"""Services that are still built outside the `build.py` of their folder."""


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for path in tree.modules(tree.SERVER):
        yield path.relative_to(tree.SERVER).as_posix(), tree.parse(path.read_text("utf-8"))


def _classes() -> Iterator[tuple[str, ast.ClassDef]]:
    for where, module in _trees():
        for node in tree.nodes(module):
            if isinstance(node, ast.ClassDef):
                yield f"{where} {node.name}", node


def _method(node: ast.ClassDef, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name == name:
            return each
    return None


def _calls() -> set[tuple[str, str]]:
    return {
        (where, node.func.id)
        for where, module in _trees()
        for node in tree.nodes(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def positional(node: ast.ClassDef) -> int:
    """How many positional arguments its constructor takes."""
    init = _method(node, "__init__")
    if init is not None:
        return len(init.args.posonlyargs) + len(init.args.args) - 1
    if not node.keywords or any(each.arg == "kw_only" for each in node.keywords):
        return 0
    return sum(isinstance(each, ast.AnnAssign) for each in node.body)


def depth(node: ast.Attribute) -> int:
    """How many attributes follow the name at the start of the chain; 0 when it starts with something else."""
    found, at = 0, ast.Expr(node).value
    while isinstance(at, ast.Attribute):
        found, at = found + 1, at.value
    return found if isinstance(at, ast.Name) else 0


def test_objects_have_methods_and_are_not_called() -> None:
    found = {name for name, node in _classes() if _method(node, "__call__") is not None}
    assert found == CALLED.keys() | CALLED_STILL, (
        "a class has named methods; `__call__` is followed by neither grep nor a trace"
    )


def test_constructors_take_keywords() -> None:
    built = {f" {name}" for where, name in _calls() if Path(where).name == "build.py"}
    found = {
        name
        for name, node in _classes()
        if positional(node) > MOST_POSITIONAL
        and (_method(node, "__init__") is not None or name[name.index(" ") :] in built)
    }
    found = {name for name in found if not any(name.startswith(place) for place in POSITIONAL_STILL_IN)}
    assert found == POSITIONAL_STILL


def test_classes_of_fields_are_structs() -> None:
    """A generated dataclass costs each worker 12 KB more, and its source is compiled at each start (docs/decisions/0187)."""
    found = {
        name
        for name, node in _classes()
        if any(ast.unparse(each).partition("(")[0].endswith("dataclass") for each in node.decorator_list)
    }
    assert found == set(), "derive it from `msgspec.Struct`, or from `AbstractStruct` of `core/`"


def test_no_code_reaches_through_its_collaborators() -> None:
    found = {
        where
        for where, module in _trees()
        for node in tree.nodes(module)
        if isinstance(node, ast.Attribute) and depth(node) > DEEPEST
    }
    assert found == DEEPER_STILL, "call a method of your collaborator, or take what you need as an argument"


def test_services_are_built_in_one_place() -> None:
    """A service that is built elsewhere could get other dependencies than the server's."""
    calls = _calls()
    built = {name for where, name in calls if Path(where).name == "build.py" and name[:1].isupper()}
    assert len(built) > 30
    found = {f"{where} {name}" for where, name in calls if Path(where).name != "build.py" and name in built}
    assert found == BUILT_STILL
