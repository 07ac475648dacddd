"""Upkeep of streams: those of deleted apps go, and one that holds too much is disabled (R93)."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.caller import Caller
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.features.audit.service import AuditLog
from doorward.features.security_events.settings import EventStreamPolicy
from doorward.features.security_events.streams import Streams, with_status
from doorward.storage.sql.store import Store


class StreamUpkeep(Struct, frozen=True, kw_only=True):
    """A round looks at all streams."""

    store: Store
    config: ConfigSource
    clock: Clock
    audit_log: AuditLog
    streams: Streams
    policy: EventStreamPolicy

    async def round(self) -> None:
        """Remove streams whose app is gone, and disable those with more than `policy.waiting` events."""
        events = self.store.security_events
        streams = await events.all()
        if not streams:
            return
        clients, counts, now = self.config.current().clients, await events.counts(), self.clock.now()
        for stream in streams:
            if stream.client_id not in clients:
                await self.store.commit(events.delete(stream.id))
                continue
            number, _ = counts.get(stream.id, (0, 0))
            if stream.status == "disabled" or number <= self.policy.waiting:
                continue
            reason = f"more than {self.policy.waiting} events waited for the receiver"
            disabled = with_status(stream, "disabled", reason, now=now)
            await self.store.commit(
                events.replace(stream, disabled),
                *self.streams.beside(stream, disabled),
                self.audit_log.write(
                    "event_stream.overflowed",
                    caller=Caller(),
                    now=now,
                    client_id=stream.client_id,
                    stream=stream.id,
                    dropped=number,
                ),
            )
