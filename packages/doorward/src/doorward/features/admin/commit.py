"""Commit of a configuration change (apps, APIs, roles): compare-and-swap on the snapshot that was read, with its audit event."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.core.model.actor import Actor
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.random import SecureRandom
from doorward.features.admin.operation import Overtaken
from doorward.features.audit.operator import operator_event
from doorward.storage.sql.store import Store, Write


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigAdmin:
    """Base class of the services for apps, APIs and roles."""

    store: Store
    config: ConfigSource
    random: SecureRandom
    clock: Clock

    async def _commit(
        self,
        actor: Actor,
        kind: str,
        read: ConfigSnapshot,
        *writes: Write,
        client_id: str | None = None,
        **detail: str | list[str],
    ) -> None:
        """Commit a change decided on the snapshot `read`, with its audit event. Raises `Overtaken` when a newer snapshot exists: an
        app's document is written whole, and a change made in between would be lost."""
        store = self.store
        event = operator_event(
            store,
            self.random,
            actor=actor,
            kind=kind,
            now=self.clock.now(),
            account_id=None,
            client_id=client_id,
            **detail,
        )
        if not await store.commit(store.registry.unchanged(read.version), *writes, event):
            await self.config.refresh()
            raise Overtaken
        await self.config.settle()
