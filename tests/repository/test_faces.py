"""Tests that routes and views reach the store only through services, and that only one place creates a page route and the proof
of its checks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository import tree

_FACE = re.compile(r"(?:\w+_)?(?:routes|views?|pages?)\.py")
_STORES = ("doorward.storage", "doorward.core.ports.store")
# functions that create the proof of a check
MINTS = {
    "Route": {"web/route.py", "web/page_pipeline.py"},
    "VerifiedPost": {"web/page_pipeline.py"},
    "SignedInPost": {"features/sessions/signed_in_pages.py"},
    "AllowedApp": {"features/oauth/first_party/cookie_session.py"},
}


def faces() -> list[Path]:
    """The modules that handle requests, and all of `web/`."""
    features = [path for path in tree.modules(tree.SERVER / "features") if _FACE.fullmatch(path.name)]
    return [*features, *tree.modules(tree.SERVER / "web")]


def _imported(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.nodes(module):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}", alias.name) for alias in node.names)


def touches(source: str) -> list[str]:
    """How a module reaches the store: its imports of it, its commits, and the `.store` of other objects."""
    module = tree.parse(source)
    found = [
        f"{name} {what}".strip() for name, what in _imported(module) if f"{name}.{what}".startswith(_STORES)
    ]
    found += [
        f"line {node.lineno}: .{node.attr}"
        for node in tree.nodes(module)
        if isinstance(node, ast.Attribute) and node.attr in {"commit", "store"}
    ]
    return found


def test_only_services_use_the_store() -> None:
    assert len(faces()) > 40
    found = {tree.name(path): bad for path in faces() if (bad := touches(path.read_text("utf-8")))}
    assert not found, f"routes and views ask a service, which loads and commits: {found}"


@pytest.mark.parametrize("name", MINTS)
def test_a_proof_is_created_only_where_its_check_is(name: str) -> None:
    found: set[str] = set()
    for path in tree.modules(tree.SERVER):
        for node in tree.nodes(tree.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", None)
                if called == name:
                    found.add(path.relative_to(tree.SERVER).as_posix())
    assert found == MINTS[name]


def test_each_kind_of_access_is_detected() -> None:
    for line in (
        "from doorward.core.ports.store import Store",
        "from doorward.core.ports import store",
        "import doorward.storage.sql.store",
        "async def f(self):\n    await self.store.commit()",
        "async def f(service):\n    await service.sessions.store.accounts.get('x')",
    ):
        assert touches(line), line
    assert not touches("from doorward.core.errors import StoreUnavailable")
