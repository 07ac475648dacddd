"""Configuration snapshot of a running server: watches one version number and reloads after a change.

A snapshot is trusted for `LEASE` seconds at most: a process that cannot reach the database stops answering from memory.
The author of a change therefore knows when every process has it: after that time at the latest, and mostly much sooner,
because each process records in the database which version it has loaded (docs/decisions/0028-read-your-own-writes.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import Final, final

from msgspec import structs

from doorward.adapters.background import once
from doorward.adapters.logs import logger
from doorward.adapters.monotonic import monotonic_boottime
from doorward.cluster.change_notifier import ChangeNotifiers, Waiter
from doorward.cluster.node_registry import HEARD_OF_WITHIN, LEASE, MARGIN, NodeRegistry
from doorward.core.errors import StoreGone, StoreUnavailable
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.ports.clock import Clock
from doorward.core.ports.keys import TokenSigner
from doorward.storage.sql.store import Store

_SLOWLY: Final = 0.5
_RENEW: Final = HEARD_OF_WITHIN // 2
_TRIES: Final = 3
_log = logger("config")


@final
class ConfigSnapshotWatcher:
    """Configuration source. A command only calls `refresh`; a process that answers requests calls `join`, then `watch`."""

    def __init__(
        self,
        *,
        store: Store,
        signer: TokenSigner,
        interval: float = 0.15,
        notifier: ChangeNotifiers | None = None,
        passed: Callable[[], float] = monotonic_boottime,
    ) -> None:
        self._store = store
        self._signer = signer
        self._interval = interval
        self._notifier = notifier
        self._passed = passed
        self._config = ConfigSnapshot(version=-1)
        self._loading = asyncio.Lock()
        self._listeners: list[Callable[[ConfigSnapshot], None]] = []
        self._nodes = NodeRegistry(store=store, passed=passed)
        self._wake = Waiter()
        if notifier is not None:
            notifier.listen(self._wake.wake)
        # None in a command: its snapshot has no lease, since it writes only against the version that it read
        self._node: str | None = None
        self._clock: Clock | None = None
        self._trusted_until = inf
        self._looked_at = -inf
        self._told = -1
        self._tell_by = 0
        self._telling: asyncio.Task[None] | None = None
        self._no_use_before = -inf
        self.gone = False
        """Whether the database has moved elsewhere: nothing read here is valid any more."""

    def current(self) -> ConfigSnapshot:
        """The newest loaded snapshot. Raises `StoreUnavailable` once its lease has expired."""
        if self.stale:
            raise StoreUnavailable("whether the configuration has changed could not be asked for a second")
        return self._config

    @property
    def stale(self) -> bool:
        """Whether the lease has expired: the database does not answer, or this process was paused for a second."""
        return self._passed() >= self._trusted_until

    def on_change(self, listener: Callable[[ConfigSnapshot], None]) -> None:
        """Call `listener` with each new snapshot, and at once with the current one if there is one."""
        self._listeners.append(listener)
        if self._config.version >= 0:
            listener(self._config)

    async def refresh(self) -> ConfigSnapshot:
        """Load now. Raises `StoreUnavailable`, and ValueError when a signing key cannot be opened with our secret key."""
        async with self._loading:
            self._take(await self._store.registry.load())
            await self._tell()
            return self._config

    async def settle(self) -> ConfigSnapshot:
        """Load, and wait until no process answers from an older snapshot. Raises as `refresh` does."""
        until = self._passed() + LEASE + MARGIN
        config = await self.refresh()
        await self._nodes.settled(config.version, until)
        return config

    async def join(self, node_id: str, clock: Clock) -> None:
        """Register this process as one that answers requests: changes then wait for it. Raises as `refresh` does."""
        await self.refresh()
        self._node, self._clock = node_id, clock
        # register first, then load: see `_look`
        self._trusted_until = -inf
        await self._tell()
        await self._look()

    async def leave(self) -> None:
        """Unregister: this process no longer answers requests."""
        node, self._node = self._node, None
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.wait({self._telling})
        if node is not None:
            await self._store.commit(self._store.nodes.leave(node))

    async def forget_the_dead(self) -> None:
        """Periodic: remove processes that ended without `leave`, so that no change waits for them. Raises
        `StoreUnavailable`."""
        if self._clock is not None:
            await self._nodes.look_for_the_dead(self._clock.now())

    async def catch_up(self) -> None:
        """For a request that finds the snapshot `stale`: query once more, for at most a second; never raises. After a
        failure later requests do not wait again: `current` refuses those that need the snapshot, the others continue.
        """
        if self._passed() < self._no_use_before:
            return
        # not asyncio.timeout, which waits until the cancelled work has ended: the database may take long for that
        look = asyncio.ensure_future(self._look())
        done, _ = await asyncio.wait({look}, timeout=LEASE)
        if not done:
            look.cancel()
        if not done or isinstance(look.exception(), StoreUnavailable):
            self._no_use_before = self._passed() + LEASE / 2
        else:
            look.result()

    async def watch(self) -> None:
        """Never returns: loads changes on notification, or at most `interval` seconds later. Survives outages."""
        away = False
        while True:
            heard = self._notifier is not None and self._notifier.connected
            await self._wake.sleep(_SLOWLY if heard else self._interval)
            began = self._passed()
            try:
                await self._look()
            except StoreUnavailable:
                if not away:
                    _log.warning("config.unavailable")
                away = True
                await asyncio.sleep(LEASE / 4)
            else:
                if away:
                    _log.info("config.available")
                away = False
            # a burst of changes takes at most half of the time
            await asyncio.sleep(self._passed() - began)

    async def _look(self) -> None:
        asked = self._passed()
        async with self._loading:
            if self._looked_at >= asked:
                return  # a caller that waited before us queried after we arrived
            for _ in range(_TRIES):
                began = self._passed()
                version, known = await self._ask()
                if version != self._config.version:
                    self._take_what_opens(await self._store.registry.load())
                if known:
                    self._renew(began)
                    self._tell_soon()
                    return
                # Changes do not wait for an unregistered process: a change made since our query may be confirmed
                # already. So a result is trusted only if this process was registered before it queried.
                self._told = -1
                await self._tell()
            raise StoreUnavailable("this process cannot make itself known")

    async def _ask(self) -> tuple[int, bool]:
        """The registry's version, and whether changes wait for this process."""
        if self._node is None:
            return await self._store.registry.version(), True
        try:
            version, seen = await self._store.nodes.look(self._node)
        except StoreGone as gone:
            if not self.gone:
                _log.error("database.moved", reason=str(gone))
            self.gone = True
            raise
        self.gone = False
        return version, seen is not None

    def _take_what_opens(self, config: ConfigSnapshot) -> None:
        try:
            self._take(config)
        except ValueError as error:
            # A key sealed under another secret key: the server continues with the keys it had. But an app removed in
            # the meantime is removed, whatever is wrong with the keys.
            _log.error("config.keys_refused", reason=str(error))
            self._adopt(structs.replace(config, keys=self._config.keys))

    def _take(self, config: ConfigSnapshot) -> None:
        if config.version == self._config.version:
            return
        # keys first: an app of the new snapshot must not be visible before its algorithm can sign
        self._signer.install(config.keys)
        self._adopt(config)

    def _adopt(self, config: ConfigSnapshot) -> None:
        self._config = config
        for listener in self._listeners:
            listener(config)

    def _tell_soon(self) -> None:
        """Record the loaded version in a background task: a database that reads but does not commit must not end the
        lease too."""
        if self._owes_word() and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(once(self._keep_telling, name="nodes"))

    async def _keep_telling(self) -> None:
        while self._owes_word():
            if not await self._tell():
                return  # the next look tries again

    def _owes_word(self) -> bool:
        return self._clock is not None and (
            self._told != self._config.version or self._clock.now() >= self._tell_by
        )

    async def _tell(self) -> bool:
        """Record the loaded version in the database if it is new. An unregistered process must not answer from memory:
        for one, a failure raises `StoreUnavailable`; otherwise the result says whether the version was recorded."""
        node, clock = self._node, self._clock
        if node is None or clock is None or not self._owes_word():
            return True
        now, version = clock.now(), self._config.version
        try:
            await self._store.commit(self._store.nodes.acknowledge(node, version, now + HEARD_OF_WITHIN))
        except StoreUnavailable:
            # changes wait for the end of our lease; but an unregistered process must not answer
            if self._told < 0:
                raise
            return False
        self._told, self._tell_by = version, now + _RENEW
        return True

    def _renew(self, began: float) -> None:
        self._looked_at = began
        if self._node is not None:
            self._trusted_until = began + LEASE
