"""Who answers from memory, and what has each of them seen? (docs/decisions/0028-read-your-own-writes.md)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from doorward.core.ports.write import Write


class Nodes(Protocol):
    """The processes that answer from a snapshot of the registry, and the version that each has seen."""

    async def look(self, node_id: str) -> tuple[int, int | None]:
        """(the registry's version, the version that this node is known to have seen), in one read; None: it is not known."""
        ...

    async def behind(self, version: int) -> int:
        """How many have not yet seen `version`, those that are doubted among them."""
        ...

    async def doubted(self) -> Sequence[str]:
        """The names of the rows that are doubted; `leave` takes one away."""
        ...

    def saw(self, node_id: str, version: int, expires_at: int) -> Write:
        """This node lives and has seen `version`; without another word it is doubted some time after `expires_at`. Ends every
        doubt of it."""
        ...

    async def heard_of_by(self) -> int | None:
        """The latest time by which any is to be heard of (seconds, by that node's clock); None when there is none."""
        ...

    def doubt(self, mark: str, *, behind: int, silent_at: int, not_before: int) -> Write:
        """Doubt all who have not seen the version `behind`, or who were to be heard of before `silent_at` (seconds), or not before
        `not_before`: one that lives finds at its next look that it is not known, and makes itself known. `mark` is drawn anew for
        each call."""
        ...

    def leave(self, node_id: str) -> Write: ...
