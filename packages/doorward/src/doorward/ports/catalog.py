"""The configuration snapshot that a request works with."""

from __future__ import annotations

from typing import Protocol

from doorward.model.catalog import Catalog


class CatalogSource(Protocol):
    """Holds the newest snapshot in memory; a change made by a command or another process is there within a second."""

    def current(self) -> Catalog: ...
    async def refresh(self) -> Catalog:
        """Load at once, after a write of one's own."""
        ...
