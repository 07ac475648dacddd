"""Commit of a configuration change (apps, APIs, roles): compare-and-swap on the snapshot that was read, with retry and audit event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

from doorward.core.model.actor import Actor
from doorward.core.model.config_snapshot import Catalog
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.core.ports.random import Chance
from doorward.features.admin.error import refused
from doorward.features.audit.operator import operator_event
from doorward.storage.sql.store import Store, Write

_TRIES = 10

P = ParamSpec("P")
R = TypeVar("R")


class Overtaken(Exception):
    """The configuration changed after it was read."""


def decided_anew(method: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Retry the method on `Overtaken`. The method has to read the configuration itself on each call."""

    @wraps(method)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(_TRIES):
            try:
                return await method(*args, **kwargs)
            except Overtaken:
                continue
        raise refused("config_contended")

    return call


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigAdmin:
    """Base class of the services for apps, APIs and roles."""

    store: Store
    catalog: CatalogSource
    chance: Chance
    clock: Clock

    async def _commit(
        self,
        actor: Actor,
        kind: str,
        read: Catalog,
        *writes: Write,
        now: int,
        client_id: str | None = None,
        **detail: str | list[str],
    ) -> None:
        """Commit a change decided on the snapshot `read`, with its audit event. Raises `Overtaken` when a newer snapshot exists: an
        app's document is written whole, and a change made in between would be lost."""
        store = self.store
        event = operator_event(
            store,
            self.chance,
            actor=actor,
            kind=kind,
            now=now,
            account_id=None,
            client_id=client_id,
            **detail,
        )
        if not await store.commit(store.registry.unchanged(read.version), *writes, event):
            await self.catalog.refresh()
            raise Overtaken
        await self.catalog.settle()
