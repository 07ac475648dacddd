"""Commit of a change of apps, APIs and roles: against the snapshot that it was decided on, or decided anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from doorward.core.model.config_snapshot import Catalog
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.core.ports.store import Store, Write
from doorward.features.admin.error import refused

_TRIES = 10

P = ParamSpec("P")
R = TypeVar("R")


class Overtaken(Exception):
    """Somebody else changed the configuration after it was read."""


def decided_anew(method: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Call the method again when it was overtaken. It has to read the configuration itself, each time."""

    @wraps(method)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(_TRIES):
            try:
                return await method(*args, **kwargs)
            except Overtaken:
                continue
        raise refused("config_contended")

    return call


async def commit_as_read(store: Store, source: CatalogSource, catalog: Catalog, *writes: Write) -> None:
    """Commit what was decided on `catalog`. Raises `Overtaken` when it is not the newest any more: an app's document is
    written whole, and a change made in between would be lost."""
    done = await store.commit(store.registry.unchanged(catalog.version), *writes)
    if not done:
        await source.refresh()
        raise Overtaken
    await source.settle()
