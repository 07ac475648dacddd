"""Background tasks: repeated work beside the requests, stopped with the server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from importlib import import_module
from types import ModuleType
from typing import Any, Final, final

from doorward.adapters.logs import logger
from doorward.core.errors import StoreUnavailable

_log = logger("background")
_WHOLE: Final = "loaded whole"
"""In a `Deferred` module that has been loaded; no name of a module has a space."""


async def every(seconds: float, work: Callable[[], Awaitable[object]], *, name: str) -> None:
    """Repeat for ever: run `work`, then wait `seconds`, plus or minus a tenth, so that several processes do not run in
    step.

    A failure is logged and the next round follows: a failed round never ends a background task.
    """
    while True:
        await once(work, name=name)
        await asyncio.sleep(seconds * random.uniform(0.9, 1.1))  # noqa: S311 - only spreads the load


async def once(work: Callable[[], Awaitable[object]], *, name: str) -> None:
    """Run `work`; a failure is logged and not raised."""
    try:
        await work()
    except StoreUnavailable:
        _log.warning("background.unavailable", task=name)
    except Exception as error:  # noqa: BLE001 - see above
        _log.error("background.failed", task=name, exc_info=error)


async def loaded(*modules: ModuleType) -> None:
    """Load `Deferred` modules in a thread, so that the event loop goes on meanwhile. Everybody waits here until they are loaded whole: a
    name of a module that another thread is loading is waited for on the event loop, by Python's lock of imports. Raises ImportError."""
    for module in modules:
        if _WHOLE not in vars(module):
            await asyncio.to_thread(import_module, module.__name__)
            vars(module)[_WHOLE] = True


@final
class BackgroundTasks:
    """The running tasks of one process. Start them in the lifespan, `stop` them at its end."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[None], str] = {}

    def start(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Run a coroutine that never returns; if it does, that is logged as an error."""
        task = asyncio.get_running_loop().create_task(work, name=f"doorward {name}")
        self._tasks[task] = name
        task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Cancel all and wait until they have ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        name = self._tasks.pop(task, "")
        if not task.cancelled():
            _log.error("background.ended", task=name, exc_info=task.exception())
