"""Counting tries: asked before anything costs time, counted before anything is answered (line 81)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from doorward.model.policy import ThrottlePolicy
from doorward.ports.keys import Sealer
from doorward.ports.store import Store, Write
from doorward.rules.prove import attempts
from doorward.rules.prove.attempts import Bucket, Guessed, Wait


@dataclass(frozen=True, slots=True)
class Throttle:
    """The counters of `rules/prove/attempts.py`, kept in the store and shared by all processes."""

    store: Store
    sealer: Sealer
    policy: ThrottlePolicy
    turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    """One try at a time is counted in a bucket, so that each learns its own number; a lock lives while somebody waits for it."""

    async def trusted(self, device_hash: bytes | None, account_id: str | None) -> bytes | None:
        """The device's hash if this person signed in on it before. Asked for unknown people just the same (line 80)."""
        if device_hash is None:
            return None
        known = await self.store.sessions.device_trusted(device_hash, account_id or "usr_nobody")
        return device_hash if known and account_id is not None else None

    def of_person(self, guessed: Guessed, who: str, trusted_device: bytes | None) -> tuple[Bucket, ...]:
        """The counters of one person's secret."""
        return attempts.of_person(
            guessed, who, trusted_device=trusted_device, policy=self.policy, tag=self._tag
        )

    def of_address(self, address: str) -> Bucket:
        """The counter of wrong guesses from one address."""
        return attempts.of_address(address, policy=self.policy, tag=self._tag)

    def of_estimates(self, address: str) -> Bucket:
        """The counter of new passwords that strangers at one address had estimated."""
        return attempts.of_estimates(address, policy=self.policy, tag=self._tag)

    def of_mail(self, email: str, address: str, trusted_device: bytes | None) -> tuple[Bucket, ...]:
        """The counters of mails that somebody makes us send."""
        return attempts.of_mail(
            email, address, trusted_device=trusted_device, policy=self.policy, tag=self._tag
        )

    async def full(self, buckets: Sequence[Bucket], now: int) -> Wait | None:
        """Whether one of them is full already; nothing is written."""
        return attempts.full(await self._counted(buckets, now), now)

    async def take(self, buckets: Sequence[Bucket], now: int) -> Wait | None:
        """Count one try in each, and say whether it was one too many.

        Counted before the secret is looked at: of a thousand guesses sent at once just as many are looked at as the limit says.
        """
        if (wait := await self.full(buckets, now)) is not None:
            return wait
        # Without turns, a burst would be counted as a whole before anybody looks, and all of it refused. Between processes
        # that can still happen: then fewer are looked at than the limit allows, never more.
        turn = self.turns.setdefault(buckets[0].key, asyncio.Lock())
        async with turn:
            if (wait := await self.full(buckets, now)) is not None:
                return wait
            await self.store.commit(*(self.add(bucket, now) for bucket in buckets))
            return attempts.overrun(await self._counted(buckets, now), now)

    async def filled(self, buckets: Sequence[Bucket], now: int) -> bool:
        """Whether the try just counted was the last one that is looked at: worth a line in the record, once a window."""
        return attempts.full(await self._counted(buckets, now), now) is not None

    def add(self, bucket: Bucket, now: int) -> Write:
        """One more try, for the caller's commit."""
        return self.store.attempts.add(bucket.key, now, bucket.window)

    def clear(self, buckets: Sequence[Bucket]) -> list[Write]:
        """It was them: the counters of their own tries begin anew (NIST SP 800-63B-4 §3.2.2)."""
        return [self.store.attempts.clear(bucket.key) for bucket in buckets]

    async def _counted(self, buckets: Sequence[Bucket], now: int) -> list[tuple[Bucket, int, int]]:
        return [(bucket, *await self.store.attempts.count(bucket.key, now)) for bucket in buckets]

    def _tag(self, text: str) -> str:
        return self.sealer.tag("throttle", text)
