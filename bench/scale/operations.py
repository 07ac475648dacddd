"""Time of a sign-in's look-up, a refresh and an introspection at the store, by the number of rows in the database.

The calls are those of the services: look-up is `accounts.by_email` and `factors`, a refresh is `refresh_of_person` and
the guarded commit, an introspection is the token with grant and person, and the number of the newest revocation. Reads
are made one after the other, refreshes by 32 coroutines at once, as requests make them. People are drawn evenly.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import Random

from bench.scale import content
from bench.scale.content import World
from doorward.features.oauth.grants.refresh_token.rules import rotation
from doorward.storage.sql.store import Store

Doing = Coroutine[object, object, None]
WAITING = 32
"""Coroutines that refresh at the same time."""
LEEWAY = 0
"""Seconds. Of ten thousand grants each is used every second; with a leeway its row would have a long list of
spent tokens, unlike in real use, and the small database would look slower than it is."""
# the length of a sealed secret of 43 characters
_SEALED = bytes(43 + 16)

# Grants for each measurement: a token rotated here is no longer the one that its number gives.
STORE_SHARE, HTTP_SHARE, READ_SHARE = range(3)
SHARES = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """The results of one round: microseconds per operation over the whole round, and the single times in
    ascending order."""

    each_us: float
    ordered_us: Sequence[float]

    def at(self, share: float) -> float:
        """The percentile; 0.5 is the median."""
        return self.ordered_us[min(len(self.ordered_us) - 1, int(len(self.ordered_us) * share))]


def draw(rng: Random, grants: int, share: int) -> int:
    """The number of a random grant of this measurement's share."""
    return rng.randrange((grants - share + SHARES - 1) // SHARES) * SHARES + share


@dataclass(frozen=True, slots=True)
class Operations:
    """The three operations on one database of a known size."""

    store: Store
    world: World
    grants: int
    rng: Random

    async def look_up(self) -> None:
        """The start of a sign-in: the person and their second factors. Raises AssertionError when there is no
        such person."""
        person = self.rng.randrange(content.people_of(self.grants))
        account = await self.store.accounts.by_email(content.email(person))
        assert account is not None
        factors = await self.store.accounts.factors(account.id)
        assert bool(factors) == content.has_factor(person)

    async def introspect(self) -> None:
        """An API introspects a refresh token."""
        number = draw(self.rng, self.grants, READ_SHARE)
        found = await self.store.grants.refresh_of_person(self.world.grant_id(number))
        assert found is not None
        assert found[2] is not None
        await self.store.revocations.newest()

    async def refresh(self) -> None:
        """Exchange a token for its successor."""
        number = draw(self.rng, self.grants, STORE_SHARE)
        while not await self._rotate(self.world.grant_id(number)):
            # among few grants two coroutines may draw the same one, and one of them loses and retries, as in real use
            continue

    async def _rotate(self, grant_id: str) -> bool:
        found = await self.store.grants.refresh_of_person(grant_id)
        assert found is not None
        old, _, account = found
        assert account is not None
        after = rotation.rotated(
            old, new_hash=sha256(old.hash).digest(), sealed=_SEALED, leeway=LEEWAY, now=int(time.time())
        )
        return await self.store.commit(self.store.grants.spend_refresh(old, after, account))


async def at_once(operation: Callable[[], Doing], seconds: float, *, waiting: int) -> Timing:
    """The operation in `waiting` coroutines, each of which starts the next when one is done."""
    took: list[float] = []
    clock = time.perf_counter
    began = clock()
    until = began + seconds

    async def again() -> None:
        while (start := clock()) < until:
            await operation()
            took.append((clock() - start) * 1e6)

    await asyncio.gather(*(again() for _ in range(waiting)))
    return Timing((clock() - began) * 1e6 / len(took), sorted(took))


async def a_few(operation: Callable[[], Doing], count: int) -> Timing:
    """The operation `count` times, one at a time."""
    took: list[float] = []
    for _ in range(count):
        start = time.perf_counter()
        await operation()
        took.append((time.perf_counter() - start) * 1e6)
    return Timing(sum(took) / count, sorted(took))
