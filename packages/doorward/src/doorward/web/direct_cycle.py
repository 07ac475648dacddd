"""One request of a connection, and a coroutine that becomes a task only when it first waits: parts of `web/direct.py`."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from functools import partial
from types import coroutine
from typing import Any, final

from doorward.web.http import Message


@final
class Cycle:
    """One request on its way; the attributes are those that uvicorn's connection code looks at."""

    __slots__ = (
        "body",
        "disconnected",
        "head",
        "keep_alive",
        "message_event",
        "more_body",
        "response_complete",
        "scope",
        "turn",
    )

    def __init__(self, scope: dict[str, Any], *, head: bool, keep_alive: bool, turn: bool) -> None:
        self.scope = scope
        self.head = head
        self.keep_alive = keep_alive
        self.turn = turn
        self.body = bytearray()
        self.more_body = True
        self.disconnected = False
        self.response_complete = False
        self.message_event = NOBODY_WAITS


@final
class NobodyWaits:
    """In place of the event that ASGI's `receive` waits for."""

    def set(self) -> None:
        return


NOBODY_WAITS = NobodyWaits()


async def nothing_more() -> Message:
    """In place of ASGI's `receive`: the body is there already."""
    return {"type": "http.disconnect"}


async def resume(run: Coroutine[Any, Any, None], waits_for: Any) -> None:
    """The rest of a coroutine that was begun without a task, for the task that it now becomes."""
    # from Python 3.12 on a generator is no coroutine to asyncio, whatever it is decorated with
    await _resumed(run, waits_for)


@coroutine
def _resumed(run: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    while True:
        try:
            value = yield waits_for
        except BaseException as problem:  # noqa: BLE001 - passed on: cancellation belongs to the coroutine
            step = partial(run.throw, problem)
        else:
            step = partial(run.send, value)
        try:
            waits_for = step()
        except StopIteration:
            return
