"""Delivery of events by push (RFC 8935): one process at a time sends for a stream, and the events of a person go in their order."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Final, Protocol, final

from msgspec import Struct, field, structs

from doorward.adapters.http_client import CallFailed, GuardedAnswer, answered
from doorward.adapters.logs import logger
from doorward.adapters.sending import Sending
from doorward.core.model.caller import Caller
from doorward.core.model.security_event import AUTHORIZATION_PURPOSE, EventStream, SecurityEvent
from doorward.core.ports.clock import Clock
from doorward.core.ports.keys import Sealer
from doorward.core.ports.metrics import Metrics
from doorward.features.audit.service import AuditLog
from doorward.features.security_events.rules import delivery as rule
from doorward.features.security_events.rules.delivery import PushOutcome
from doorward.features.security_events.settings import EventStreamPolicy
from doorward.features.security_events.streams import Streams, with_status
from doorward.features.security_events.tokens import EventTokens
from doorward.storage.sql.store import Store

CLAIM: Final = 120
"""Seconds for which a process has a stream to itself; after a crash another one goes on then."""
TIMEOUT: Final = 10.0
BATCH: Final = 50
_ROUNDS: Final = 5
"""Batches in one claim."""
_RESERVE: Final = 2 * int(TIMEOUT)
"""Seconds before the end of a claim after which no further event is sent in it: a receiver may take `TIMEOUT` to answer."""
_OF_APP: Final = 8
"""Calls at a time to the receivers of one app."""
MOST_STREAMS: Final = 1000
"""Streams that are served at a time."""
CONNECTIONS: Final = 20 * _OF_APP
"""Calls at a time to all receivers, so that many slow ones leave room for the others."""
_log = logger("security_events")


class Posts(Protocol):
    """One POST; raises `CallFailed`."""

    async def post(self, url: str, **sent: Any) -> GuardedAnswer: ...


@final
class PushWorker(Struct, frozen=True, kw_only=True):
    """Sends what is due. A receiver that is down is asked again after growing pauses, and its stream is paused after
    `policy.pause_after`; nothing is lost in between."""

    store: Store
    http: Posts
    tokens: EventTokens
    sealer: Sealer
    clock: Clock
    metrics: Metrics
    audit_log: AuditLog
    streams: Streams
    policy: EventStreamPolicy
    calls: Mapping[str, asyncio.Semaphore] = field(
        default_factory=lambda: defaultdict(partial(asyncio.Semaphore, _OF_APP))
    )
    """By app."""

    async def run(self, interval: float) -> None:
        """Run for ever, looking every `interval` seconds. Each stream has a task of its own, so that none waits for the receiver of
        another."""
        sending = Sending(
            name="security events",
            due=lambda _full, _limit: self.store.security_events.due(self.clock.now()),
            send=self._serve,
            key=lambda stream: stream.id,
            receiver=lambda stream: stream.id,
            of_each=1,
            most=MOST_STREAMS,
        )
        await sending.run(interval)

    async def send_due(self) -> int:
        """Send for every stream that is due, and wait for all; returns how many this process took."""
        due = await self.store.security_events.due(self.clock.now())
        return sum(await asyncio.gather(*(self._serve(stream) for stream in due)))

    async def _serve(self, stream: EventStream) -> bool:
        events = self.store.security_events
        taken = structs.replace(stream, next_try_at=self.clock.now() + CLAIM, tries=stream.tries + 1)
        if not await self.store.commit(events.moved(stream, taken)):
            return False
        problem: str | None = None
        for _ in range(_ROUNDS):
            waiting = await events.waiting(stream.id, BATCH, stream.status)
            problem = await self._send(taken, waiting)
            if problem is not None or len(waiting) < BATCH or self._over(taken):
                break
        now = self.clock.now()
        if problem is None:
            after = structs.replace(
                taken, next_try_at=now, tries=0, failing_since=None, problem=None, accepted_at=now
            )
            await self.store.commit(events.moved(taken, after))
        else:
            await self._failed(taken, problem, now)
        return True

    def _over(self, taken: EventStream) -> bool:
        return self.clock.now() >= taken.next_try_at - _RESERVE

    async def _failed(self, taken: EventStream, problem: str, now: int) -> None:
        events = self.store.security_events
        since = now if taken.failing_since is None else taken.failing_since
        self.metrics.inc("security_events", "delayed")
        _log.warning(
            "security_events.delayed",
            stream_id=taken.id,
            client_id=taken.client_id,
            tries=taken.tries,
            reason=problem,
        )
        after = structs.replace(
            taken, next_try_at=now + rule.pause(taken.tries), failing_since=since, problem=problem
        )
        writes = [events.moved(taken, after)]
        if taken.status == "enabled" and now - since >= self.policy.pause_after:
            paused = with_status(after, "paused", "the receiver accepted nothing any more", now=now)
            writes += [
                events.replace(after, paused),
                *self.streams.beside(after, paused),
                self.audit_log.write(
                    "event_stream.paused",
                    caller=Caller(),
                    now=now,
                    client_id=taken.client_id,
                    stream=taken.id,
                    problem=problem,
                ),
            ]
        await self.store.commit(*writes)

    async def _send(self, stream: EventStream, waiting: Sequence[SecurityEvent]) -> str | None:
        """Send a batch; the first problem, or None. What was accepted is removed at once."""
        headers = self._headers(stream)
        groups = [
            list(group)
            for _, group in groupby(
                sorted(waiting, key=lambda one: one.account_id or ""), lambda one: one.account_id
            )
        ]
        done: list[str] = []

        async def in_order(group: Sequence[SecurityEvent]) -> str | None:
            for event in group:
                async with self.calls[stream.client_id]:
                    # the rest goes in the next claim
                    if self._over(stream):
                        return None
                    problem = await self._post(stream, event, headers)
                if problem is not None:
                    return problem
                done.append(event.id)
            return None

        try:
            problems = await asyncio.gather(*(in_order(group) for group in groups))
        finally:
            if done:
                await self.store.commit(self.store.security_events.remove(stream.id, done))
        return next((one for one in problems if one is not None), None)

    def _headers(self, stream: EventStream) -> Mapping[str, str]:
        headers = {"content-type": "application/secevent+jwt", "accept": "application/json"}
        if stream.sealed is not None:
            # the stream's own, and never that of another one (RFC 8935 §3)
            clear = self.sealer.open(AUTHORIZATION_PURPOSE, stream.id, stream.sealed)
            headers["authorization"] = clear.decode()
        return headers

    async def _post(
        self, stream: EventStream, event: SecurityEvent, headers: Mapping[str, str]
    ) -> str | None:
        try:
            token = self.tokens.make(event, stream)
            answer = await self.http.post(stream.endpoint_url, content=token, headers=headers)
        except CallFailed as failed:
            return str(failed)
        except KeyError:
            return "there is no key yet to sign events with"
        match rule.outcome(answer.status, answer.body):
            case PushOutcome.ACCEPTED:
                self.metrics.inc("security_events", "accepted")
            case PushOutcome.REFUSED:
                self.metrics.inc("security_events", "refused")
                _log.warning(
                    "security_events.refused",
                    stream_id=stream.id,
                    event_id=event.id,
                    reason="invalid_request",
                )
            case PushOutcome.LATER:
                code = rule.error_code(answer.body)
                return answered(answer.status) + ("" if code is None else f" with the error {code}")
        return None
