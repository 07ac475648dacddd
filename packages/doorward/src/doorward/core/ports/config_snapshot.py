"""The configuration snapshot that a request works with."""

from __future__ import annotations

from typing import Protocol

from doorward.core.model.config_snapshot import Catalog


class CatalogSource(Protocol):
    """Holds the newest snapshot in memory; a change made by a command or another process is there within a second."""

    def current(self) -> Catalog:
        """The snapshot. Raises `StoreUnavailable` when for a second nobody could say whether it is still the newest."""
        ...

    async def refresh(self) -> Catalog:
        """Load at once."""
        ...

    async def settle(self) -> Catalog:
        """After a write of one's own, before it is answered as done: load it, and wait until every process that answers has it
        or has stopped answering from what it had. At most a little more than a second."""
        ...
