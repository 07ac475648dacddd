"""Tests of names: retired names stay retired, and no public class name is used twice in server and verifier."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository import tree

# Each retired name with the standard term that replaced it.
CLASSES = {
    "Advance": "SignInFlow",
    "Arrival": "Pages",
    "Ask": "FactorRequired",
    "Asked": "RequestCredentials",
    "Begun": "SignInRateLimiter",
    "Board": "ConnectionCounts",
    "Catalog": "ConfigSnapshot",
    "CommandWorkshop": "AdminServices",
    "Denied": "AuthorizationError",
    "Door": "AcceptBalancer",
    "Ending": "Revoker",
    "Failures": "ClientAuthRateLimiter",
    "GiveTokens": "TokenIssuer",
    "Head": "Supervisor",
    "Journey": "SignInFlow",
    "ManageRefused": "AdminError",
    "Orders": "WorkerArgs",
    "Outside": "Container",
    "OwnTokens": "IdTokenHints",
    "Record": "AuditLog",
    "Refusal": "OAuthError",
    "Refused": "AuthError",
    "RollCall": "NodeRegistry",
    "Shared": "Container",
    "Stale": "Conflict",
    "Steps": "SignInFlow",
    "Tickets": "EmailChallenges",
    "Tools": "AdminServices",
    "Trouble": "CliError",
    "Visitors": "BrowserContexts",
    "WatchedCatalog": "ConfigSnapshotWatcher",
}
# These are retired as a part of a name too: `PostgresChangeNotifier`, `SystemRandom`.
WORDS = {
    "Bell": "ChangeNotifier",
    "Bells": "ChangeNotifiers",
    "Chance": "SecureRandom",
    "Letter": "EmailMessage",
    "Meter": "Metrics",
    "Postman": "MailQueue",
    "Tallies": "WriteBehindCounter",
    "Tally": "ApproximateCounter",
    "Visitor": "BrowserContext",
    "Wake": "Waiter",
}
FUNCTIONS = {
    "doubt": "mark_suspect",
    "guests": "connections",
    "let_go": "prune",
    "let_in": "accept_connection",
    "ring": "publish",
    "saw": "acknowledge",
    "ticks": "monotonic_boottime",
}
PAIRS = {("Attempts", "claim"): "ReplayCache.claim", ("Metrics", "count"): "Metrics.inc"}
FIELDS = {("OAuthError", "say"), ("OAuthError", "because"), ("WorkerArgs", "lifeline")}
MODULES = {"actions", "back_channel", "outside", "wiring", "workshop"}
# a supervisor of an older version starts the workers of this one by the module's old name
INTERFACE = {
    "packages/doorward/src/doorward/workshop/__init__.py",
    "packages/doorward/src/doorward/workshop/serving.py",
}


def sources() -> list[Path]:
    return sorted({*tree.SERVER.rglob("*.py"), *tree.VERIFIER.rglob("*.py")})


def classes(source: str) -> Iterator[ast.ClassDef]:
    return (node for node in tree.nodes(tree.parse(source)) if isinstance(node, ast.ClassDef))


def _members(node: ast.ClassDef) -> set[str]:
    found: set[str] = set()
    for each in node.body:
        match each:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
            case _:
                pass
    return found


def retired(source: str) -> list[str]:
    """What a source defines under a retired name."""
    found: list[str] = []
    for node in classes(source):
        words = re.findall(r"[A-Z][a-z0-9]*", node.name)
        found += [f"class {node.name}: {CLASSES[node.name]}"] if node.name in CLASSES else []
        found += [f"class {node.name}: {WORDS[word]}" for word in words if word in WORDS]
        members = _members(node)
        found += [
            f"{node.name}.{name}: {better}"
            for (end, name), better in PAIRS.items()
            if node.name.endswith(end) and name in members
        ]
        found += [f"{node.name}.{name}" for owner, name in FIELDS if node.name == owner and name in members]
    for node in tree.nodes(tree.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in FUNCTIONS:
            found.append(f"def {node.name}: {FUNCTIONS[node.name]}")
    return found


def test_no_retired_name_is_defined() -> None:
    found = {
        tree.name(path): names for path in sources() if (names := retired(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_no_module_has_a_retired_name() -> None:
    found = {tree.name(path) for path in sources() if MODULES & {*path.parts, path.stem}}
    assert found == INTERFACE


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("class SystemChance:\n    pass\n", "class SystemChance: SecureRandom"),
        ("class Head:\n    pass\n", "class Head: Supervisor"),
        ("class SqlAttempts:\n    def claim(self) -> None: ...\n", "SqlAttempts.claim: ReplayCache.claim"),
        ("class NoMetrics:\n    def count(self) -> None: ...\n", "NoMetrics.count: Metrics.inc"),
        ("class OAuthError:\n    say: str\n", "OAuthError.say"),
        ("class A:\n    async def ring(self) -> None: ...\n", "def ring: publish"),
    ],
)
def test_retired_names_are_found(source: str, name: str) -> None:
    assert retired(source) == [name]


def test_no_public_class_name_is_used_twice() -> None:
    where: defaultdict[str, list[str]] = defaultdict(list)
    for path in sources():
        for node in classes(path.read_text(encoding="utf-8")):
            if not node.name.startswith("_"):
                where[node.name].append(tree.name(path))
    assert {name: places for name, places in where.items() if len(places) > 1} == {}
