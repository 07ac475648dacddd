"""Texts and calls of the server's modules, for the tests that pin what is stored."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

from tests.repository import tree

SERVER = [*tree.modules(tree.SERVER), *tree.SERVER.rglob("__init__.py")]


@cache
def parsed(path: Path) -> ast.Module:
    """The module at a path."""
    return tree.parse(path.read_text("utf-8"))


def texts() -> Iterator[str]:
    """Every text in the server's modules."""
    for path in SERVER:
        for node in tree.nodes(parsed(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def calls(names: set[str]) -> Iterator[tuple[Path, ast.Call, str, str]]:
    """(module, call, method, its receiver) of every call of a method with one of these names."""
    for path in SERVER:
        for node in tree.nodes(parsed(path)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in names
            ):
                yield path, node, node.func.attr, ast.unparse(node.func.value)


def value(path: Path, node: ast.expr) -> object:
    """The value of an expression: a text, its fixed beginning, or that of a named constant."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.JoinedStr(values=[ast.Constant(value=value), *_]):
            return value
        case ast.Name(id=name) if name.isupper():
            return getattr(import_module(tree.dotted(path)), name)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute) if attribute.isupper():
            return getattr(getattr(import_module(tree.dotted(path)), name), attribute)
        case _:
            raise AssertionError(f"{tree.name(path)}:{node.lineno}: {ast.unparse(node)} is no constant")
