"""Client-ID metadata documents: fetched when they are needed, kept as their headers say, and used on while their host is down.

A failure is never kept in place of a document: the last good copy is used on for some days, and without one each request asks anew, within
the limits of `rules/budget.py` (R64, R93).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final, final
from urllib.parse import urlsplit

from msgspec import Struct, structs

from doorward.adapters.http_client import CallFailed, GuardedHttp, answered
from doorward.adapters.logs import logger
from doorward.core.errors import OAuthError
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.self_registered import ClientDocument
from doorward.core.ports.metrics import Metrics
from doorward.features.audit.service import AuditLog
from doorward.features.clients.directory import UNKNOWN
from doorward.features.oauth.client_documents.rules import budget
from doorward.features.oauth.client_documents.rules.document import (
    FRESH,
    MOST_BYTES,
    address_problem,
    client_at,
    fresh_for,
    keys_problem,
    parse,
)
from doorward.features.oauth.client_documents.settings import ClientDocumentPolicy
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store, Write
from doorward_verify.encoding import Malformed, json_object

PAUSE: Final = 60
"""Seconds after a failed attempt in which the last good copy is used without another one."""
STALE: Final = 7 * 86_400
"""Seconds for which the last good copy is used on when there is no new one."""
UNUSED: Final = 86_400
"""Seconds for which a document is kept through which nobody has signed in."""
_log = logger("client_document")


class Failed(Struct, frozen=True):
    """There is no new copy. `shown` is for pages: it tells nothing about other hosts than what they answer to everybody; `reason` is for the
    log and for operators."""

    shown: str
    reason: str


class _Fetched(Struct, frozen=True):
    client: Client
    fresh_for: int


@final
class ClientDocuments:
    """Apps by the address of their document. One call at a time for each address in a process."""

    def __init__(
        self,
        *,
        store: Store,
        http: GuardedHttp,
        throttle: Throttle,
        audit_log: AuditLog,
        metrics: Metrics,
        policy: ClientDocumentPolicy,
        private_schemes: Collection[str] = (),
    ) -> None:
        self._store = store
        self._http = http
        self._throttle = throttle
        self._audit_log = audit_log
        self._metrics = metrics
        self._policy = policy
        self._private_schemes = private_schemes
        self._under_way: dict[str, asyncio.Task[Client | Failed]] = {}

    def owns(self, client_id: str) -> bool:
        """Every https address."""
        return client_id.startswith("https://")

    async def find(self, client_id: str) -> Client | None:
        """The last good copy. Raises `StoreUnavailable`."""
        if self._refused(client_id) is not None:
            return None
        row = await self._store.client_documents.get(client_id)
        if row is None or row.disabled_at is not None:
            return None
        return row.client if row.pinned_at is not None or self._policy.accept == "any" else None

    async def resolve(self, client_id: str, caller: Caller, now: int) -> Client | OAuthError:
        """The app, from a fresh copy, a new one, or the last good one. Raises `StoreUnavailable`."""
        if (problem := self._refused(client_id)) is not None:
            return _refusal(client_id, problem)
        row = await self._store.client_documents.get(client_id)
        if row is not None:
            if row.disabled_at is not None:
                return _refusal(client_id, Failed("it was disabled here", "an operator has disabled it"))
            if row.client is not None and (row.pinned_at is not None or _fresh(row, now)):
                return row.client
        if self._policy.accept != "any":
            return _refusal(client_id, Failed("it is not accepted here", "it is not pinned"))
        usable = row.client if row is not None and 0 <= now - row.fetched_at < STALE else None
        just_failed = row is not None and row.problem is not None and 0 <= now - row.tried_at < PAUSE
        if usable is not None and just_failed:
            return usable
        found = await self.fetch(client_id, caller, now)
        if isinstance(found, Client):
            return found
        return usable if usable is not None else _refusal(client_id, found)

    async def fetch(self, url: str, caller: Caller, now: int, *, counted: bool = True) -> Client | Failed:
        """A new copy, which is stored. `counted`: within the limits for strangers. Callers at once share one call. Raises
        `StoreUnavailable`."""
        task = self._under_way.get(url)
        if task is None:
            if counted and await self._throttle.take(
                budget.of_fetch(url, caller.address, tag=self._throttle.tag), now
            ):
                return Failed("too many documents were asked for; try again later", "a limit was reached")
            task = self._under_way.get(url)
        if task is None:
            task = asyncio.create_task(self._renew(url, caller, now))
            self._under_way[url] = task
            task.add_done_callback(lambda done: self._done(url, done))
        # one caller that goes away does not end the call of the others
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _done(self, url: str, task: asyncio.Task[Client | Failed]) -> None:
        self._under_way.pop(url, None)
        if not task.cancelled():
            task.exception()  # read, since all its callers may have gone

    def _refused(self, url: str) -> Failed | None:
        if self._policy.accept == "none":
            return Failed("documents are not accepted here", "client_documents.accept is none")
        if (problem := address_problem(url)) is not None:
            return Failed(problem, problem)
        host = urlsplit(url).hostname
        if self._policy.hosts and host not in self._policy.hosts:
            return Failed("its host is not accepted here", f"client_documents.hosts lacks {host}")
        return None

    async def _renew(self, url: str, caller: Caller, now: int) -> Client | Failed:
        fetched = await self._fetched(url, now)
        documents = self._store.client_documents
        row = await documents.get(url)
        if isinstance(fetched, Failed):
            self._metrics.inc("client_documents", "failed")
            _log.warning("client_document.failed", url=url, reason=fetched.reason, kept=row is not None)
            if row is not None:
                await self._store.commit(documents.failed(url, fetched.reason[:300], now))
            return fetched
        self._metrics.inc("client_documents", "fetched")
        if row is None and await documents.count() >= self._policy.most:
            reason = f"client_documents.most is reached: {self._policy.most}"
            _log.warning("client_document.failed", url=url, reason=reason, kept=False)
            return Failed("there is no room for another document; try again later", reason)
        old = None if row is None else row.client
        client = structs.replace(fetched.client, created_at=now if old is None else old.created_at)
        stored = ClientDocument(
            url=url,
            client=client,
            fetched_at=now,
            fresh_until=now + fetched.fresh_for,
            tried_at=now,
            expires_at=now + UNUSED,
        )
        event = self._event(old, client, caller, now)
        await self._store.commit(documents.put(stored), *event)
        return client

    async def _fetched(self, url: str, now: int) -> _Fetched | Failed:
        answer = await self._json(url, "it")
        if isinstance(answer, Failed):
            return answer
        body, lasts = answer
        parsed = parse(url, body)
        if isinstance(parsed, OAuthError):
            return Failed(parsed.reason, parsed.reason)
        document, metadata = parsed
        if metadata.jwks_uri is not None and metadata.jwks is None:
            keys = await self._keys(metadata.jwks_uri, now)
            if isinstance(keys, Failed):
                return keys
            metadata = structs.replace(metadata, jwks=keys, jwks_uri=None)
            # its keys turn without the document
            lasts = min(lasts, FRESH)
        client = client_at(url, document, metadata, now=now, schemes=self._private_schemes)
        if isinstance(client, OAuthError):
            return Failed(client.reason, client.reason)
        return _Fetched(client, lasts)

    async def _keys(self, url: str, now: int) -> dict[str, object] | Failed:
        if (problem := keys_problem(url)) is not None:
            return Failed(problem, problem)
        # the host may be another one than that of the document
        if await self._throttle.take(budget.of_host(url, tag=self._throttle.tag), now):
            return Failed("too many keys were asked for; try again later", "a limit was reached")
        answer = await self._json(url, "its jwks_uri")
        if isinstance(answer, Failed):
            return answer
        try:
            return json_object(answer[0])
        except Malformed:
            return Failed("its jwks_uri holds no JSON object", "its jwks_uri holds no JSON object")

    async def _json(self, url: str, what: str) -> tuple[bytes, int] | Failed:
        """The body, and the seconds for which it is fresh."""
        try:
            answer = await self._http.get(url, most=MOST_BYTES, headers={"accept": "application/json"})
        except CallFailed as problem:
            return Failed(f"{what} could not be fetched", f"{what} could not be fetched: {problem}")
        if answer.status != 200:
            said = answered(answer.status)
            return Failed(f"{what}: {said}" if what != "it" else said, f"{what} at {url}: {said}")
        if answer.media_type != "application/json" and not answer.media_type.endswith("+json"):
            said = f"{what} was sent as {answer.media_type[:80] or 'nothing'} and not as application/json"
            return Failed(said, said)
        return answer.body, fresh_for(answer.cache_control, answer.age)

    def _event(self, old: Client | None, new: Client, caller: Caller, now: int) -> tuple[Write, ...]:
        """The audit event of a new document, or of a change; none where nothing has changed."""
        changed = (
            []
            if old is None
            else [name for name in Client.__struct_fields__ if getattr(old, name) != getattr(new, name)]
        )
        if old is not None and not changed:
            return ()
        kind = "client_document.changed" if old is not None else "client_document.accepted"
        return (
            self._audit_log.write(
                kind, caller=caller, now=now, client_id=new.id, name=new.name, changed=changed
            ),
        )


def _fresh(row: ClientDocument, now: int) -> bool:
    return row.fetched_at <= now < row.fresh_until


def _refusal(url: str, failed: Failed) -> OAuthError:
    return OAuthError(
        "invalid_client",
        f"{UNKNOWN} Its document cannot be used: {failed.shown}.",
        f"document {url[:200]}: {failed.reason}",
        fix="the app's author looks at the document; see doorward app list, and client_documents in the settings",
    )
