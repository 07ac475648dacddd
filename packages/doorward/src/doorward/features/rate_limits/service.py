"""Throttle: limits are checked before any expensive work, and attempts counted before any response (R81)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.bucket import Bucket
from doorward.core.model.caller import Caller
from doorward.core.model.policy import ThrottlePolicy
from doorward.core.ports.counters import Counters
from doorward.core.ports.keys import Sealer
from doorward.features.rate_limits.rules import attempts, budget
from doorward.features.rate_limits.rules.attempts import Guess, Guessed, Wait
from doorward.storage.sql.store import Store, Write

_TRIES: Final = 5
_PURPOSE: Final = "throttle"


class Throttle(Struct, frozen=True, kw_only=True):
    """The counters of `features/rate_limits/rules/attempts.py`, shared by all processes."""

    store: Store
    sealer: Sealer
    policy: ThrottlePolicy
    counters: Counters

    async def known(self, devices: tuple[bytes, ...], account_id: str | None) -> bytes | None:
        """The hash of a device on which this person has signed in before. The same query runs for unknown accounts (R80)."""
        if not devices:
            return None
        known = await self.store.sessions.known_device(devices, account_id or "usr_nobody")
        return known if account_id is not None else None

    async def guess(
        self, guessed: Guessed, who: str, *, account_id: str | None, caller: Caller, now: int
    ) -> Guess | Wait:
        """Count a guess at a secret before checking it. `who` is the typed name or the subject of the secret; `account_id` the matching
        account, if there is one. Every guess that could succeed goes through here, and ends in `missed` or in `clear` and `forget`
        (R96)."""
        device = await self.known(caller.devices, account_id)
        counters = attempts.guess(
            guessed, who, caller.address, known_device=device, policy=self.policy, tag=self._tag
        )
        wait = await self.take(counters.own, now, unless=counters.networks)
        return counters if wait is None else wait

    def missed(self, guess: Guess, now: int) -> list[Write]:
        """Count a wrong guess for its networks, in the caller's commit."""
        # in a fixed order, so that two commits do not deadlock
        networks = sorted(guess.networks, key=lambda bucket: bucket.key)
        return [self.store.attempts.add(bucket.key, now, bucket.window) for bucket in networks]

    async def estimate(self, address: str, now: int) -> Wait | None:
        """Count a strength estimate for an address."""
        return await self.take(attempts.of_estimates(address, policy=self.policy, tag=self._tag), now)

    async def mail(self, email: str, account: Account | None, *, caller: Caller, now: int) -> Wait | None:
        """Count a mail to `email` sent on request; `account` is the owner of the address, if any."""
        device = await self.known(caller.devices, account.id if account else None)
        mail = attempts.of_mail(email, caller.address, known_device=device, policy=self.policy, tag=self._tag)
        may = attempts.may_mail(mail, await self.counters.counted(mail.all, now), now)
        if isinstance(may, Wait):
            return may
        wait = await self.take(may, now)
        return None if wait is None else Wait(wait.until, stranger=device is None)

    async def change(self, change: budget.Change, account_id: str, now: int) -> Wait | None:
        """Count a change by a signed-in person."""
        buckets = budget.of_changes(change, account_id, policy=self.policy, tag=self._tag)
        return await self.take(buckets, now)

    async def revocation(self, account_id: str, client_id: str, now: int) -> Wait | None:
        """Count an individually revoked access token of one person at one app."""
        bucket = budget.of_revocations(account_id, client_id, policy=self.policy, tag=self._tag)
        return await self.take((bucket,), now)

    async def full(self, buckets: Sequence[Bucket], now: int) -> Wait | None:
        """Whether one of them is full; nothing is written."""
        return attempts.full(await self.counters.counted(buckets, now), now)

    async def take(
        self, buckets: Sequence[Bucket], now: int, *, unless: Sequence[Bucket] = ()
    ) -> Wait | None:
        """Count one attempt in each of `buckets`, unless one of them or of `unless` is full; then nothing is counted.

        Counted before the secret is checked: of a thousand concurrent guesses, sent to any number of processes, exactly as many are
        checked as the limit allows.
        """
        # Read first, so that guessing on against a full counter costs a read and no write.
        if (wait := await self.full([*unless, *buckets], now)) is not None:
            return wait
        for _ in range(_TRIES):
            if await self.counters.take(buckets, now):
                return None
            # A concurrent attempt was the last one; if there is room again, the owner signed in and the counters were cleared.
            if (wait := await self.full(buckets, now)) is not None:
                return wait
        return Wait(now + 1)

    async def tries(self, buckets: Sequence[Bucket], now: int) -> int:
        """The number of attempts in the fullest of them."""
        return max((tries for _, tries, _ in await self.counters.counted(buckets, now)), default=0)

    def clear(self, buckets: Sequence[Bucket]) -> list[Write]:
        """After a success, clear the counters of own attempts (NIST SP 800-63B-4 §3.2.2). Call `forget` after the commit."""
        # in the order of counting, so that two commits do not deadlock
        return [self.store.attempts.clear(key) for key in sorted(bucket.key for bucket in buckets)]

    async def forget(self, buckets: Sequence[Bucket]) -> None:
        """The second part of `clear`, for counters outside the store. It comes after the commit, so that a repeated spent code, whose
        commit fails, gives no new guesses."""
        await self.counters.forget(buckets)

    def tag(self, text: str) -> str:
        """A keyed hash for the key of a counter, so that the database holds no names."""
        return self._tag(text)

    def _tag(self, text: str) -> str:
        return self.sealer.tag(_PURPOSE, text)
