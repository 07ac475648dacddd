"""How does one process hear at once that another one changed something? By a bell, which says that and nothing more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Bell(Protocol):
    """A hint, never a fact: whoever hears it looks into the database, and whoever misses it looks there soon enough anyway.

    Nothing may depend on a ring being heard. It only makes things quick.
    """

    @property
    def connected(self) -> bool:
        """Whether rings are heard now. While they are not, whoever listens looks for themselves, and more often."""
        ...

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` on the event loop at every ring, and whenever the bell was reconnected, since rings may have been missed."""
        ...

    async def ring(self) -> None:
        """Something was committed that others wait for. Never raises, never waits long; a lost ring is no error."""
        ...

    async def run(self) -> None:
        """For ever, as a background task: hear, and connect anew when the connection was lost."""
        ...
