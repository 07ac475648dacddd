"""Who answers from memory, and what has each of them seen? (docs/decisions/2026-11-22-read-your-own-writes.md)"""

from __future__ import annotations

from typing import Protocol

from doorward.ports.write import Write


class Nodes(Protocol):
    """The processes that answer from a snapshot of the registry, and the version that each has seen."""

    async def look(self, node_id: str) -> tuple[int, int | None]:
        """(the registry's version, the version that this node is known to have seen), in one read; None: it is not known."""
        ...

    async def behind(self, version: int) -> int:
        """How many have not yet seen `version`."""
        ...

    def saw(self, node_id: str, version: int, expires_at: int) -> Write:
        """This node lives and has seen `version`; without another word it is forgotten some time after `expires_at`."""
        ...

    def leave(self, node_id: str) -> Write: ...
