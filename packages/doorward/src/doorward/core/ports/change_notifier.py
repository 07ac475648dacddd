"""Change notification between processes: a signal without content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class ChangeNotifier(Protocol):
    """A hint without guarantee: a receiver reads the database, and polls it anyway in case it misses a notification.

    Nothing may depend on delivery. A notification only reduces latency.
    """

    @property
    def connected(self) -> bool:
        """Whether notifications arrive now. While they do not, listeners poll more often."""
        ...

    async def publish(self) -> None:
        """Notify others of a commit. Never raises, never waits long; a lost notification is not an error."""
        ...

    async def run(self, wake: Callable[[], None]) -> None:
        """Background task: listen, and reconnect after a lost connection; never returns. Calls `wake` at every
        notification, and after each reconnect, since notifications may have been missed."""
        ...
