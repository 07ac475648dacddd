"""Test that every outgoing HTTP call of the server goes through the guard of addresses (R63)."""

from __future__ import annotations

import ast

import pytest

from tests.repository import tree

CLIENTS = {"httpx", "httpx2", "httpcore2", "aiohttp", "requests", "urllib3", "urllib.request", "http.client"}
MAY = {
    "adapters/http_client.py": "the guard",
    "adapters/trust.py": "makes TLS contexts, and calls nothing",
    "ops/doctor/checks/port.py": "asks this server itself, at the port or socket of the settings",
}


def imported(source: str) -> set[str]:
    """The HTTP clients that a module imports, at any place."""
    names: set[str] = set()
    for node in tree.nodes(tree.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {client for client in CLIENTS for name in names if name == client or name.startswith(f"{client}.")}


@pytest.mark.requirement(63)
def test_only_the_guard_makes_http_calls() -> None:
    found = {
        path.relative_to(tree.SERVER).as_posix()
        for path in tree.modules(tree.SERVER)
        if imported(path.read_text("utf-8"))
    }
    assert found == MAY.keys()


@pytest.mark.parametrize(
    "line",
    ["import httpx2", "from urllib import request", "import urllib.request", "from httpx2 import Client"],
)
def test_an_http_client_is_detected(line: str) -> None:
    assert imported(f"def f():\n    {line}")
    assert not imported("from urllib.parse import urlsplit")
