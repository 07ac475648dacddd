"""Valkey (or Redis) connection: a missing, hanging or slow server never delays requests for long."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from hashlib import sha1
from typing import Any, Final, cast, final
from urllib.parse import parse_qs, urlsplit

from valkey.asyncio import BlockingConnectionPool, Valkey
from valkey.asyncio.retry import Retry
from valkey.backoff import NoBackoff
from valkey.exceptions import NoScriptError, ValkeyError

from doorward.adapters.logs import logger
from doorward.adapters.monotonic import monotonic_boottime
from doorward.core.ports.metrics import Metrics

LONGEST: Final = 0.25
"""Seconds that a request may lose to a cache that does not answer; the next requests lose none."""

_WITH_TLS: Final = frozenset({"valkeys", "rediss"})
_SLICES: Final = 10
_SETTLE: Final = 1.5
_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 5.0
_CONNECTIONS: Final = 32
_LOOK, _LOOK_AGAIN = 5.0, 1.0
"""Seconds between two checks while it answers, and while it does not."""
EPOCH: Final = "{doorward}:epoch"
_log = logger("cache")


class CacheAway(Exception):
    """The cache does not answer, or failed a moment ago; the text holds no address and no password."""


def client(url: str) -> Valkey:
    """A client of `valkey://`, `valkeys://`, `redis://`, `rediss://` or `unix://`. Without retries and time limits: the
    callers apply their own."""
    parts = urlsplit(url)
    # By default the library accepts a trusted certificate of any name: a man in the middle could then count our
    # attempts.
    named = parts.scheme in _WITH_TLS and parse_qs(parts.query).get("ssl_cert_reqs") != ["none"]
    pool = BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
        url,
        **({"ssl_check_hostname": True} if named else {}),
        timeout=None,
        max_connections=_CONNECTIONS,
        retry=Retry(NoBackoff(), 0),
        retry_on_timeout=False,
        decode_responses=True,
    )
    return Valkey.from_pool(pool)


@final
class ValkeyLink:
    """One connection pool and the cache's health.

    After a failure no request uses the cache for a second, and longer when failures continue; then one request tries,
    and the others go without. A reconnecting process first begins a new epoch: the cache's contents are older, and lack
    what was counted without it. It then waits until every process has written down what it counted in the old epoch.
    """

    def __init__(
        self,
        url: str,
        *,
        metrics: Metrics,
        passed: Callable[[], float] = monotonic_boottime,
        longest: float = LONGEST,
    ) -> None:
        self._client = client(url)
        self._longest = longest
        self._passed = passed
        self._away_until = 0.0
        self._pause = _PAUSE
        self.away = False
        """Whether the last operation failed."""
        self._trying = False
        self._raised = False
        self._free = asyncio.Semaphore(_CONNECTIONS)
        self._answered = False
        self._count_lost = metrics.link("cache", lambda: self._answered and not self.away)

    async def watch(self) -> None:
        """For ever: check periodically, so that `away` is current and requests find a cache that has returned."""
        while True:
            with suppress(CacheAway):
                await self.do("PING")
            await asyncio.sleep(_LOOK_AGAIN if self.away else _LOOK)

    async def do(self, *words: str | int) -> Any:
        """The answer to one command, within `LONGEST` seconds of sending. Raises `CacheAway`."""
        async with self._free:
            await self._come_back()
            return await self._ask(_command(self._client, words))

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[int]) -> Any:
        """The answer of a Lua script, which runs atomically; its text is sent only if the server does not know it yet.
        Raises `CacheAway`."""
        async with self._free:
            await self._come_back()
            return await self._ask(_script(self._client, script, keys, arguments))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _come_back(self) -> None:
        if not self.away:
            return
        if self._trying or self._passed() < self._away_until:
            raise CacheAway("the cache did not answer a moment ago")
        self._trying = True
        try:
            if not self._raised:
                await self._ask(_command(self._client, ("SET", EPOCH, os.urandom(8).hex())))
                self._raised = True
                self._away_until = self._passed() + _SETTLE
                raise CacheAway("the cache is back, and its counters begin anew")
            await self._ask(_command(self._client, ("PING",)))
            self.away, self._raised, self._pause = False, False, _PAUSE
            _log.info("cache.back")
        except CacheAway:
            if not self._raised:
                self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            raise
        finally:
            self._trying = False

    async def _ask(self, question: Coroutine[Any, Any, Any]) -> Any:
        asking = asyncio.create_task(question)
        try:
            # In slices: if this process itself was paused for a second, that uses up one slice, and the cache is not
            # blamed.
            for _ in range(_SLICES):
                await asyncio.wait({asking}, timeout=self._longest / _SLICES)
                if asking.done():
                    break
            else:
                raise TimeoutError
            answer = await asking
        except (ValkeyError, OSError, TimeoutError) as problem:
            before, self.away, self._raised = self.away, True, False
            if not before:
                _log.warning("cache.away", reason=type(problem).__name__)
            if self._answered and not before:
                self._count_lost()
            self._away_until = self._passed() + self._pause
            raise CacheAway(f"the cache did not answer ({type(problem).__name__})") from None
        finally:
            # the client closes the connection of a cancelled caller, so that a late answer is never read as the next
            # one
            asking.cancel()
        self._answered = True
        return answer


async def _command(valkey: Valkey, words: Sequence[str | int]) -> Any:
    send = cast("Callable[..., Awaitable[Any]]", valkey.execute_command)
    return await send(*words)


async def _script(valkey: Valkey, script: str, keys: Sequence[str], arguments: Sequence[int]) -> Any:
    name = sha1(script.encode(), usedforsecurity=False).hexdigest()
    rest = (len(keys), *keys, *arguments)
    try:
        return await _command(valkey, ("EVALSHA", name, *rest))
    except NoScriptError:
        return await _command(valkey, ("EVAL", script, *rest))
