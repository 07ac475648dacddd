"""Test that no process keeps to itself what all processes must know. All state in memory is listed, with what it decides."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.repository import tree

# State that changes between requests. Each has its row in docs/explain/many-nodes.md, which says why that is safe.
REMEMBERS = {
    "features/services.py": "Services: what was built",
    "features/admin/imports/roles.py": "ImportedRoles: one import",
    "features/admin/imports/writes.py": "ImportOutcome: one batch of an import",
    "features/audit/rules/verify.py": "ChainWalk: one verification",
    "features/audit/sealer.py": "AuditSealer: the newest place that this process saw; a chain that lacks it was changed by others",
    "features/risk/family_watch.py": "FamilyWatch: networks of tokens of the last minutes; losing them finds a theft later",
    "features/api_keys/last_use.py": "LastUse: times that wait to be written; losing them costs a time, and nothing rests on it",
    "features/oauth/grants/refresh_token/newest.py": "NewestTokens: rows written last; a rotation from one fails unless it still is so",
    "features/oauth/logout/notify.py": "FirstTries: sign-outs of this process that wait now; losing them ends a wait",
    "features/oauth/client_auth/verified.py": "VerifiedHeaders: dropped with the snapshot of the configuration, and when a secret expires",
    "features/oauth/tokens/snapshot_cache.py": "SnapshotCache: hangs on the snapshot of the configuration",
    "features/oauth/tokens/access_tokens.py": "AccessTokenReader: tokens whose signature was verified, dropped with the keys; lifetime and revocation are checked each time",
    "features/oauth/grants/jwt_bearer/keys.py": "IssuerKeys: what a trusted issuer publishes, fetched anew when it says so",
    "features/oauth/grants/jwt_bearer/told.py": "Told: lines of the audit log in a quarter of an hour",
    "features/authn/factors/passkeys/metadata.py": "AuthenticatorMetadata: the operator's file, read again when it has changed",
    "features/authn/factors/password/policy.py": "JudgePassword: a queue for this machine's processors",
    "features/authn/directories/client.py": "Directory: which groups are in which, read again after a minute",
    "features/authn/providers/documents.py": "ProviderDocuments: what a provider publishes, fetched anew after an hour",
    "features/oauth/client_documents/service.py": "ClientDocuments: calls under way; what they give is in the database",
    "features/repeated_posts/service.py": "PostOnce: how many requests wait here",
    "features/security_events/polling.py": "Polling: how many requests wait here for an event; beyond a bound one is answered at once",
    "features/revocations/feed.py": "Watch, RevocationFeed: who waits here; the feed's entries, brought up to date before each answer",
    "features/revocations/snapshots.py": "SnapshotPart, SnapshotState, Snapshots: files for APIs that start, made anew each minute; the feed goes on from them",
    "features/revocations/view_service.py": "ServerRevocationView: brought up to date before each answer",
    "features/oauth/grants/device_code/rules/polling.py": "PollTimes: when devices that polled here may poll again; a poll too early is stored",
    "features/rate_limits/rules/failures.py": "ClientAuthRateLimiter: lines of the audit log in a minute; its counter is shared",
    "features/rate_limits/rules/counter.py": "ApproximateCounter: told to the other processes once a second",
    "features/revocations/rules/pages.py": "FeedPages: see features/revocations/feed.py",
    "features/revocations/rules/view.py": "RevocationEntries: see features/revocations/view_service.py",
    "core/lean_import.py": "_Empty: which names a library takes from its parts while this process loads it",
    "web/router.py": "App, Server: whether this process is leaving; a sampling counter",
    "web/connection_limits.py": "LimitedProtocol: one connection",
    "web/http.py": "Response: one answer",
    "features/oauth/metadata/routes.py": "MetadataEndpoints: the published keys as bytes, while they are the same",
    "features/sessions/browser_context.py": "BrowserContext: one request",
    "web/browser.py": "PageRequest: one request",
}
_ROOMS = ("core", "features", "web")
_CHANGES = {"append", "add", "pop", "remove", "clear", "update", "setdefault", "insert", "extend", "discard"}
_BORN = {"__init__", "__post_init__"}
# methods of collaborators that only look like changes of a collection
_NO_COLLECTION = {"throttle", "jar", "factors", "counters"}


def _attribute(node: ast.expr) -> str | None:
    while isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return node.attr
    return None


def _changed(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.Assign(targets=targets):
            for target in targets:
                yield from target.elts if isinstance(target, ast.Tuple) else [target]
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            yield target
        case ast.Delete(targets=targets):
            yield from targets
        case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in _CHANGES:
            yield value
        case _:
            return


def remembering(source: str) -> set[str]:
    """The attributes of objects that their methods change after construction, and names that functions declare global."""
    found: set[str] = set()
    module = tree.parse(source)
    for node in tree.nodes(module):
        if isinstance(node, ast.Global):
            found |= set(node.names)
        if not isinstance(node, ast.ClassDef):
            continue
        for method in node.body:
            if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and method.name not in _BORN:
                # a collection changes at once; what is awaited is the verb of a service
                awaited = {id(each.value) for each in ast.walk(method) if isinstance(each, ast.Await)}
                for inner in (each for each in ast.walk(method) if id(each) not in awaited):
                    found |= {name for each in _changed(inner) if (name := _attribute(each)) is not None}
    return found - _NO_COLLECTION


def _files() -> Iterator[tuple[str, Path]]:
    for room in _ROOMS:
        for path in tree.modules(tree.SERVER / room):
            yield path.relative_to(tree.SERVER).as_posix(), path


def test_all_state_in_memory_is_listed_with_what_it_decides() -> None:
    found = {name: state for name, path in _files() if (state := remembering(path.read_text("utf-8")))}
    unlisted = {name: state for name, state in found.items() if name not in REMEMBERS}
    assert not unlisted, (
        f"{unlisted}: share decisions between processes (docs/explain/many-nodes.md); list harmless state there, and here"
    )
    stale = set(REMEMBERS) - set(found)
    assert not stale, f"{stale} hold no state any more"


def test_each_kind_of_state_is_detected() -> None:
    source = (
        "class A:\n    def __init__(self):\n        self.made = {}\n"
        "    def one(self):\n        self.kept[1] = 2\n        self.count += 1\n        self.a, self.b = 1, 2\n"
        "        self.list.append(3)\n        del self.gone[1]\n        self.throttle.clear([])\n        local = {}\n        local[1] = 2\n"
        "    async def two(self):\n        await self.service.remove(1)\n        await self.gate.pass_by(self.set.add(2))\n"
        "def f():\n    global everywhere\n"
    )
    assert remembering(source) == {"kept", "count", "a", "b", "list", "gone", "set", "everywhere"}
