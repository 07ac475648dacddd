"""The configuration snapshot that a request works with."""

from __future__ import annotations

from typing import Protocol

from doorward.core.model.config_snapshot import ConfigSnapshot


class ConfigSource(Protocol):
    """Holds the newest snapshot in memory; a change made by a command or another process arrives within a second."""

    def current(self) -> ConfigSnapshot:
        """The snapshot. Raises `StoreUnavailable` when it could not be confirmed as the newest for a second."""
        ...

    async def refresh(self) -> ConfigSnapshot:
        """Load at once."""
        ...

    async def settle(self) -> ConfigSnapshot:
        """After a write of this process, before it is confirmed: load the snapshot, and wait until every process has it
        or has stopped answering from an older one. Takes at most a little more than a second."""
        ...
