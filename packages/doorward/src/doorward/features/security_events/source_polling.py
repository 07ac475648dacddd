"""Events of other issuers that are fetched (RFC 8936 §2): by one process at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol, cast

from msgspec import Struct

from doorward.adapters.http_client import CallFailed, GuardedAnswer, answered
from doorward.adapters.logs import logger
from doorward.core.errors import KeysUnavailable
from doorward.core.model.caller import Caller
from doorward.core.ports.clock import Clock
from doorward.features.security_events.receiving import CLAIM, EventReceiver, EventRefused
from doorward.features.security_events.source_settings import EventSourcePolicy
from doorward.storage.sql.store import Store
from doorward_verify.encoding import Malformed, json_object

INTERVAL: Final = 10
"""Seconds between two polls of a source."""
_AT_ONCE: Final = 20
_ROUNDS: Final = 10
_log = logger("event_source")


class PostsForDocument(Protocol):
    """One POST whose answer is needed whole; raises `CallFailed`."""

    async def post_for_document(self, url: str, **sent: Any) -> GuardedAnswer: ...


class SourcePolling(Struct, frozen=True, kw_only=True):
    """Fetches events of sources with a `poll_url`, obeys them, and acknowledges what it obeyed."""

    receiver: EventReceiver
    sources: Mapping[str, EventSourcePolicy]
    store: Store
    clock: Clock
    http: PostsForDocument

    async def round(self, name: str) -> None:
        """Ask one source once, and go on while it has more. While its keys cannot be had, nothing is acknowledged."""
        if await self._mine(name):
            try:
                await self._fetch(name)
            except (CallFailed, KeysUnavailable, Malformed) as problem:
                _log.warning("event_source.unavailable", source=name, reason=str(problem))

    async def _mine(self, name: str) -> bool:
        now = self.clock.now()
        claim = self.store.replay_cache.claim(CLAIM, f"poll {name}", now + INTERVAL - 1, now=now)
        return await self.store.commit(claim)

    async def _fetch(self, name: str) -> None:
        asked: dict[str, Any] = {"maxEvents": _AT_ONCE, "returnImmediately": True}
        for _ in range(_ROUNDS):
            said = await self._ask(name, asked)
            sets = cast("dict[str, object]", said.get("sets") or {})
            done: list[str] = []
            refused: dict[str, dict[str, str]] = {}
            for jti, token in sets.items():
                try:
                    await self.receiver.take(name, str(token), caller=Caller())
                    done.append(jti)
                except EventRefused as problem:
                    refused[jti] = {"err": problem.code, "description": str(problem)}
            more = said.get("moreAvailable") is True and bool(sets)
            asked = {
                "maxEvents": _AT_ONCE if more else 0,
                "returnImmediately": True,
                "ack": done,
                "setErrs": refused,
            }
            if not more:
                if sets:
                    await self._ask(name, asked)
                return

    async def _ask(self, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        policy = self.sources[name]
        headers = {"content-type": "application/json", "accept": "application/json"}
        if policy.poll_authorization is not None:
            headers["authorization"] = policy.poll_authorization.reveal()
        answer = await self.http.post_for_document(
            policy.poll_url, content=json.dumps(asked), headers=headers
        )
        if answer.status != 200:
            raise CallFailed(answered(answer.status))
        said = json_object(answer.body)
        if not isinstance(said.get("sets") or {}, dict):
            raise CallFailed("its answer has no sets")
        return said
