"""Audit events of administration, and the commit of a configuration change (apps, APIs, roles): compare-and-swap on the snapshot that
was read."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.actor import Actor
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.random import SecureRandom
from doorward.features.admin.error import refused
from doorward.features.admin.operation import Overtaken
from doorward.features.api_keys.rules.cut import narrowed
from doorward.features.audit.operator import operator_event
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store, Write


class AuditedAdmin(Struct, frozen=True, kw_only=True):
    """Base class of the services whose changes are audited."""

    store: Store
    random: SecureRandom
    clock: Clock

    def _event(
        self,
        actor: Actor,
        kind: str,
        now: int,
        *,
        account_id: str | None = None,
        client_id: str | None = None,
        **detail: str | list[str],
    ) -> Write:
        """The audit event, for the commit of the change."""
        return operator_event(
            self.store,
            self.random,
            actor=actor,
            kind=kind,
            now=now,
            account_id=account_id,
            client_id=client_id,
            **detail,
        )


class ConfigAdmin(AuditedAdmin, frozen=True, kw_only=True):
    """Base class of the services for apps, APIs and roles."""

    config: ConfigSource
    revoker: Revoker

    async def _demand_this_program(self) -> Write:
        """Part of the commit with which an app or a role begins to need what older programs lack, such as a second factor: they would not
        ask for one, and would drop the demand with their next change. They are refused from then on. Raises `AdminError` while one of them
        runs."""
        if await self.store.nodes.older():
            raise refused("older_program")
        return self.store.require_this_program()

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
        event = self._event(actor, kind, self.clock.now(), account_id=None, client_id=client_id, **detail)
        if not await self.store.commit(self.store.registry.unchanged(read.version), *writes, event):
            await self.config.refresh()
            raise Overtaken
        now_in_force = await self.config.settle()
        # after no process answers from the older snapshot: it would give tokens with what was taken away
        for audience in narrowed(read, now_in_force):
            await self.store.commit(self.revoker.cut_at_api(audience, now=self.clock.now()))
