"""Change notification over Valkey's publish and subscribe: reaches connected processes only; messages are not stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, final

from valkey.exceptions import ValkeyError

from doorward.adapters.logs import logger
from doorward.adapters.valkey.connection import LONGEST, CacheAway, ValkeyLink, client
from doorward.core.ports.metrics import Metrics

CHANNEL: Final = "{doorward}:changed"
_AGAIN: Final = 1.0
_ALIVE: Final = 5.0
"""Seconds without a message after which the connection is tested."""
_log = logger("cache")


@final
class ValkeyChangeNotifier:
    """`ChangeNotifier` over Valkey. Subscribes on a connection of its own; publishes over the connection that the
    counters use, and shares its health state."""

    def __init__(self, *, url: str, link: ValkeyLink, metrics: Metrics) -> None:
        self._url = url
        self._link = link
        self.connected = False
        """Whether the subscription is active."""
        self._count_lost = metrics.link("cache_bell", lambda: self.connected)

    async def publish(self) -> None:
        """Publish one message. If it is lost, receivers find the change by polling."""
        try:
            await self._link.do("PUBLISH", CHANNEL, 1)
        except CacheAway:
            return

    async def run(self, wake: Callable[[], None]) -> None:
        """Subscribe, and again when the connection is lost or fails a test."""
        while True:
            reason = "closed"
            try:
                await self._hear(wake)
            except (ValkeyError, OSError, TimeoutError) as problem:
                reason = type(problem).__name__
            if self.connected:
                self.connected = False
                _log.warning("change_notifier.lost", reason=reason)
                self._count_lost()
            await asyncio.sleep(_AGAIN)

    async def _hear(self, wake: Callable[[], None]) -> None:
        valkey = client(self._url)
        subscription: Any = valkey.pubsub()
        try:
            async with asyncio.timeout(2 * LONGEST):
                await subscription.subscribe(CHANNEL)
            asked = False
            while True:
                message = await subscription.get_message(timeout=_ALIVE)
                if message is None:
                    if asked:
                        raise TimeoutError
                    await subscription.ping()
                    asked = True
                    continue
                asked = False
                if message["type"] == "subscribe":
                    self.connected = True
                if message["type"] in {"subscribe", "message"}:
                    wake()
        finally:
            await subscription.aclose()
            await valkey.aclose()
