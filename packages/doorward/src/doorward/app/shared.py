"""What do the processes of one server share, beside the database? Bells, and counters where a cache is given."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doorward.adapters.background import Background, every
from doorward.adapters.counters.store import StoreCounters
from doorward.adapters.counters.write_behind import Tallies
from doorward.adapters.logs import logger
from doorward.adapters.metrics import PrometheusMeter
from doorward.cluster.change_notifier import Bells
from doorward.core.ports.change_notifier import Bell
from doorward.core.ports.clock import Clock
from doorward.core.ports.counters import Counters
from doorward.core.ports.keys import Sealer
from doorward.core.ports.store import Store, StoreUnavailable
from doorward.features.rate_limits.rules.failures import Failures
from doorward.features.rate_limits.rules.sign_in_starts import PER_GUESS, Begun
from doorward.features.rate_limits.sync import ShareTallies
from doorward.settings import Settings
from doorward.storage.postgres.url import is_postgres

if TYPE_CHECKING:
    from doorward.adapters.valkey.connection import ValkeyLink

_log = logger("bells")


@dataclass(frozen=True, slots=True)
class Shared:
    """Every process has its own; what they say and count is the same everywhere."""

    bells: Bells
    counters: Counters
    tallies: Tallies
    failures: Failures
    begun: Begun
    share: ShareTallies
    cache: ValkeyLink | None

    def start(self, background: Background) -> None:
        """What goes on beside the requests."""
        background.start(self.bells.run(), name="bells")
        background.start(self.tallies.run(), name="tallies")
        if self.cache is not None:
            background.start(self.cache.watch(), name="cache")
        background.start(every(1.0, self.share, name="shared tallies"), name="shared tallies")

    async def close(self) -> None:
        """Write down what was counted, before the store is closed."""
        try:
            await self.tallies.flush()
        except StoreUnavailable:
            _log.warning("tallies.lost")
        if self.cache is not None:
            await self.cache.close()


def open_shared(
    settings: Settings, store: Store, sealer: Sealer, clock: Clock, meter: PrometheusMeter
) -> Shared:
    """Nothing is connected yet: a cache that is away at the start is one that is away."""
    tallies = Tallies(store, clock)
    counters: Counters = StoreCounters(store)
    bells: list[Bell] = []
    link = None
    if is_postgres(str.__str__(settings.database)):
        # the client library is not loaded where there is only a file
        from doorward.storage.postgres.change_notifier import PostgresBell

        announced = PostgresBell(
            settings.database,
            settings.postgres,
            tell=lambda said: _log.warning("bell.postgres", reason=said),
        )
        announced.on_lost(meter.link("database_bell", lambda: announced.connected))
        bells.append(announced)
    if settings.cache is not None:
        # nor is that of the cache where there is none
        from doorward.adapters.valkey.change_notifier import ValkeyBell
        from doorward.adapters.valkey.connection import ValkeyLink
        from doorward.adapters.valkey.counters import ValkeyCounters

        url = settings.cache.reveal()
        link = cache = ValkeyLink(url)
        counters = ValkeyCounters(link, store, tallies)
        bell = ValkeyBell(url, link)
        link.on_lost(meter.link("cache", lambda: cache.up))
        bell.on_lost(meter.link("cache_bell", lambda: bell.connected))
        bells.append(bell)
    both = Bells(bells)
    store.on_change(both.changed)
    failures = Failures(settings.throttle.per_address)
    begun = Begun(settings.throttle.per_address * PER_GUESS)
    return Shared(
        bells=both,
        counters=counters,
        tallies=tallies,
        failures=failures,
        begun=begun,
        share=ShareTallies(store, sealer, clock, {"failures": failures.tally, "begun": begun.tally}),
        cache=link,
    )


@asynccontextmanager
async def ringing(settings: Settings, store: Store) -> AsyncGenerator[None]:
    """For a command: what it commits is rung over the cache, where there is one. PostgreSQL rings by itself."""
    if settings.cache is None:
        yield
        return
    from doorward.adapters.valkey.change_notifier import ValkeyBell
    from doorward.adapters.valkey.connection import ValkeyLink

    url = settings.cache.reveal()
    link = ValkeyLink(url)
    bells = Bells([ValkeyBell(url, link)])
    store.on_change(bells.changed)
    try:
        yield
    finally:
        await bells.rung()
        await link.close()
