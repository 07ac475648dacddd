"""Streams of apps: made, changed, paused and removed, by their app or by an operator (SSF 1.0 §8.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct, structs

from doorward.core.model.caller import Caller
from doorward.core.model.security_event import (
    AUTHORIZATION_PURPOSE,
    OF_PEOPLE,
    STREAM_PREFIX,
    EventKind,
    EventStream,
    SecurityEvent,
    StreamStatus,
    SubjectFormat,
)
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.keys import Sealer
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.security_events.problem import StreamRefused, unknown_stream
from doorward.features.security_events.rules.stream_request import Wishes
from doorward.features.security_events.settings import EventStreamPolicy
from doorward.storage.sql.store import Store, Write

_EVENT_PREFIX: Final = "sev"
_TRIES: Final = 5

Noted = Callable[[str, EventStream], Write]
"""The line of the audit log about a stream, by its kind."""


class Streams(Struct, frozen=True, kw_only=True):
    """Every method raises `StreamRefused` on failure. `noted` writes the audit line of whoever acts."""

    store: Store
    config: ConfigSource
    random: SecureRandom
    clock: Clock
    sealer: Sealer
    audit_log: AuditLog
    policy: EventStreamPolicy

    def noted_by_app(self, client_id: str, caller: Caller) -> Noted:
        """Audit lines of an app that manages its own streams."""

        def line(kind: str, stream: EventStream) -> Write:
            return self.audit_log.write(
                kind,
                caller=caller,
                now=self.clock.now(),
                client_id=client_id,
                stream=stream.id,
                status=stream.status,
            )

        return line

    async def of(self, client_id: str, stream_id: str) -> EventStream:
        """One stream of an app."""
        stream = await self.store.security_events.get(stream_id)
        if stream is None or stream.client_id != client_id:
            raise unknown_stream()
        return stream

    async def all_of(self, client_id: str) -> Sequence[EventStream]:
        """The streams of an app, oldest first."""
        return await self.store.security_events.of_client(client_id)

    async def create(
        self,
        client_id: str,
        wishes: Wishes,
        noted: Noted,
        *,
        audience: str | None = None,
        subject: SubjectFormat = "iss_sub",
        subject_in_event: bool = False,
    ) -> EventStream:
        """A stream that is enabled. Events begin with what happens from now on: no process works with an older configuration when this
        returns."""
        stream_id = self.random.new_id(STREAM_PREFIX)
        made = self._wished(
            EventStream(
                id=stream_id,
                client_id=client_id,
                audience=audience or client_id,
                description="",
                delivery="poll",
                endpoint_url="",
                sealed=None,
                events=OF_PEOPLE,
                subject=subject,
                subject_in_event=subject_in_event,
                status="enabled",
                reason=None,
                created_at=self.clock.now(),
            ),
            wishes,
        )
        insert = self.store.security_events.insert_below(made, self.policy.per_app)
        if not await self.store.commit(insert, noted("event_stream.created", made)):
            raise StreamRefused(
                409,
                "too_many_streams",
                f"This app has {self.policy.per_app} streams already; delete one first.",
            )
        await self.config.settle()
        return made

    async def change(self, client_id: str, stream_id: str, wishes: Wishes, noted: Noted) -> EventStream:
        """Members that `wishes` names change; the others stay."""
        return await self._replace(
            client_id, stream_id, lambda old: self._wished(old, wishes), noted, "event_stream.changed"
        )

    async def set_status(
        self,
        client_id: str,
        stream_id: str,
        status: StreamStatus,
        reason: str | None,
        noted: Noted,
        *,
        by_receiver: bool = False,
    ) -> EventStream:
        """Enable, pause or disable a stream. A disabled one loses what waits in it (§8.1.2); an enabled one is tried at once.
        `by_receiver`: its receiver asked for it, and need not be told that the stream stops."""
        return await self._replace(
            client_id,
            stream_id,
            lambda old: with_status(old, status, reason, now=self.clock.now()),
            noted,
            "event_stream.status_changed",
            by_receiver=by_receiver,
        )

    async def delete(self, client_id: str, stream_id: str, noted: Noted) -> EventStream:
        """The stream, with what waits in it."""
        gone = await self.of(client_id, stream_id)
        await self.store.commit(
            self.store.security_events.delete(gone.id), noted("event_stream.deleted", gone)
        )
        await self.config.settle()
        return gone

    async def verify(self, stream: EventStream, state: str | None, noted: Noted | None = None) -> None:
        """Queue a verification event (§8.1.4). `noted` makes the audit line of an operator who asks for it."""
        now, every = self.clock.now(), self.policy.verification_interval
        if stream.status == "disabled":
            raise StreamRefused(400, "stream_disabled", "The stream is disabled; enable it first.")
        detail = {} if state is None else {"state": state}
        done = await self.store.commit(
            self.store.security_events.verify(stream.id, now, every=every),
            self.store.security_events.add(self.event_of(stream, "verification", detail)),
            *(() if noted is None else (noted("event_stream.verification_asked", stream),)),
        )
        if not done:
            raise StreamRefused(
                429, "too_many_verifications", f"Ask at most once in {every} seconds.", retry_after=every
            )

    def event_of(self, stream: EventStream, kind: EventKind, detail: dict[str, str]) -> SecurityEvent:
        """An event about the stream itself."""
        now = self.clock.now()
        return SecurityEvent(
            id=self.random.new_id(_EVENT_PREFIX),
            stream_id=stream.id,
            account_id=None,
            position=now * 1000,
            at=now,
            kind=kind,
            session_id=None,
            email=None,
            detail=detail,
        )

    async def _replace(
        self,
        client_id: str,
        stream_id: str,
        change: Callable[[EventStream], EventStream],
        noted: Noted,
        kind: str,
        *,
        by_receiver: bool = False,
    ) -> EventStream:
        for _ in range(_TRIES):
            old = await self.of(client_id, stream_id)
            new = change(old)
            if new == old:
                return old
            done = await self.store.commit(
                self.store.security_events.replace(old, new),
                *self.beside(old, new, by_receiver=by_receiver),
                noted(kind, new),
            )
            if done:
                await self.config.settle()
                return structs.replace(new, revision=old.revision + 1)
        raise StreamRefused(503, "temporarily_unavailable", "The stream is being changed. Send it again.")

    def beside(self, old: EventStream, new: EventStream, *, by_receiver: bool = False) -> list[Write]:
        """What is written with a change of the status: a disabled stream loses what waits in it, and the receiver is told (§8.1.5)."""
        if new.status == old.status:
            return []
        # one `stream-updated` waits at most, however often the status changes
        gone = None if new.status == "disabled" else "stream-updated"
        writes = [self.store.security_events.empty(new.id, gone)]
        if new.status == "enabled" or not by_receiver:
            why = {} if new.reason is None else {"reason": new.reason}
            told = self.event_of(new, "stream-updated", {"status": new.status, **why})
            writes.append(self.store.security_events.add(told))
        return writes

    def _wished(self, stream: EventStream, wishes: Wishes) -> EventStream:
        if wishes.delivery:
            push = wishes.push_to is not None
            sealed = stream.sealed if push and wishes.push_to == stream.endpoint_url else None
            if wishes.authorization is not None:
                sealed = self.sealer.seal(AUTHORIZATION_PURPOSE, stream.id, wishes.authorization.encode())
            stream = structs.replace(
                stream,
                delivery="push" if push else "poll",
                endpoint_url=wishes.push_to or "",
                sealed=sealed,
                next_try_at=self.clock.now(),
                tries=0,
                failing_since=None,
            )
        if wishes.events is not None:
            stream = structs.replace(stream, events=wishes.events)
        if wishes.description is not None:
            stream = structs.replace(stream, description=wishes.description)
        return stream


def with_status(stream: EventStream, status: StreamStatus, reason: str | None, *, now: int) -> EventStream:
    """The stream with another status; the same one if it has it already."""
    if (stream.status, stream.reason) == (status, reason):
        return stream
    return structs.replace(stream, status=status, reason=reason, next_try_at=now, tries=0, failing_since=None)
