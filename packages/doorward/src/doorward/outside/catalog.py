"""How does a running server learn what a command or a neighbour changed? It watches one number and loads the snapshot anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import final

from doorward.model.catalog import Catalog
from doorward.outside.logs import logger
from doorward.ports.keys import Signer
from doorward.ports.store import Store, StoreUnavailable

_log = logger("catalog")


@final
class WatchedCatalog:
    """`ports.catalog.CatalogSource`. `watch()` runs as a background task and looks every `interval` seconds."""

    def __init__(self, store: Store, signer: Signer, *, interval: float = 0.15) -> None:
        self._store = store
        self._signer = signer
        self._interval = interval
        self._catalog = Catalog(version=-1)
        self._loading = asyncio.Lock()
        self._listeners: list[Callable[[Catalog], None]] = []

    def current(self) -> Catalog:
        """The newest snapshot that was loaded."""
        return self._catalog

    def on_change(self, listener: Callable[[Catalog], None]) -> None:
        """Call `listener` with each new snapshot, and at once with the current one if there is one."""
        self._listeners.append(listener)
        if self._catalog.version >= 0:
            listener(self._catalog)

    async def refresh(self) -> Catalog:
        """Load now. Raises `StoreUnavailable`, and ValueError when a signing key cannot be opened with our secret key."""
        async with self._loading:
            catalog = await self._store.registry.load()
            if catalog.version != self._catalog.version:
                # keys first: nobody must see an app of the new snapshot before its algorithm can sign
                self._signer.install(catalog.keys)
                self._catalog = catalog
                for listener in self._listeners:
                    listener(catalog)
            return self._catalog

    async def watch(self) -> None:
        """For ever: what has changed is here at most `interval` seconds later. Outlives outages of the database."""
        while True:
            await asyncio.sleep(self._interval)
            try:
                if await self._store.registry.version() != self._catalog.version:
                    await self.refresh()
            except StoreUnavailable:
                _log.warning("catalog.unavailable")
                await asyncio.sleep(1)
            except ValueError as error:
                # the old snapshot stays: a key sealed under another secret key must not stop what still works
                _log.error("catalog.refused", reason=str(error))
                await asyncio.sleep(5)
