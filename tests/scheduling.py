"""Which worker of pytest takes which file next.

The tests of some folders wait a lot: for processes, browsers, promised times. Those of the others compute. One after the other would leave
cores idle in the first half and make workers queue for them in the second, so every second worker begins with the files that wait, and
the others with those that compute; who has none of its own kind left takes the other kind.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePath
from typing import Any, final

import pytest
from xdist.scheduler import LoadFileScheduling


@final
class TwoQueues(LoadFileScheduling):
    """`--dist loadfile` with two queues. `waiting`: names of folders and files whose tests wait."""

    def __init__(self, config: pytest.Config, log: Any, waiting: Collection[str]) -> None:
        super().__init__(config, log)
        self._waiting = frozenset(waiting)

    def _assign_work_unit(self, node: Any) -> None:
        number = int(node.gateway.id.removeprefix("gw"))
        chosen = next_file(self.workqueue, self._waiting, waits=number % 2 == 0)
        self.workqueue.move_to_end(chosen, last=False)
        super()._assign_work_unit(node)


def next_file(files: Collection[str], waiting: frozenset[str], *, waits: bool) -> str:
    """The first file of the wanted kind, or the first of all. `files` are paths, at least one."""
    own = (file for file in files if waiting.isdisjoint(PurePath(file).parts) != waits)
    return next(own, next(iter(files)))
