"""Counting tries: asked before anything costs time, counted before anything is answered (line 81)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """The counters of `features/rate_limits/rules/attempts.py`, the same for all processes."""

    store: Store
    sealer: Sealer
    policy: ThrottlePolicy
    counters: Counters

    async def known(self, devices: tuple[bytes, ...], account_id: str | None) -> bytes | None:
        """The hash that this account knows the device by: this person signed in on it before. Asked for unknown people just the
        same (line 80)."""
        if not devices:
            return None
        known = await self.store.sessions.known_device(devices, account_id or "usr_nobody")
        return known if account_id is not None else None

    async def guess(
        self, guessed: Guessed, who: str, *, account_id: str | None, caller: Caller, now: int
    ) -> Guess | Wait:
        """Count a guess at a secret, before it is looked at. `who` is whom it is aimed at, as it was typed or as the secret says;
        `account_id` the account behind that, if there is one. Every guess that somebody could hope to win goes through here, and
        ends in `missed` or in `clear` and `forget` (line 96)."""
        device = await self.known(caller.devices, account_id)
        counters = attempts.guess(
            guessed, who, caller.address, known_device=device, policy=self.policy, tag=self._tag
        )
        wait = await self.take(counters.own, now, unless=counters.networks)
        return counters if wait is None else wait

    def missed(self, guess: Guess, now: int) -> list[Write]:
        """It was wrong, and counts for the networks that it came from: for the caller's commit."""
        # in one order, so that two commits never wait for one another's rows
        networks = sorted(guess.networks, key=lambda bucket: bucket.key)
        return [self.store.attempts.add(bucket.key, now, bucket.window) for bucket in networks]

    def of_estimates(self, address: str) -> tuple[Bucket, ...]:
        """The counters of new passwords that strangers at one address had estimated."""
        return attempts.of_estimates(address, policy=self.policy, tag=self._tag)

    async def mail(self, email: str, account: Account | None, *, caller: Caller, now: int) -> Wait | None:
        """Count a mail that somebody makes us send to `email`, which `account` has, if anybody."""
        device = await self.known(caller.devices, account.id if account else None)
        mail = attempts.of_mail(email, caller.address, known_device=device, policy=self.policy, tag=self._tag)
        may = attempts.may_mail(mail, await self.counters.counted(mail.all, now), now)
        if isinstance(may, Wait):
            return may
        wait = await self.take(may, now)
        return None if wait is None else Wait(wait.until, stranger=device is None)

    def of_changes(self, change: budget.Change, account_id: str) -> tuple[Bucket, ...]:
        """The counters of what a signed-in person changes."""
        return budget.of_changes(change, account_id, policy=self.policy, tag=self._tag)

    def of_revocations(self, account_id: str, client_id: str) -> Bucket:
        """The counter of one person's access tokens that an app revoked one by one."""
        return budget.of_revocations(account_id, client_id, policy=self.policy, tag=self._tag)

    async def full(self, buckets: Sequence[Bucket], now: int) -> Wait | None:
        """Whether one of them is full already; nothing is written."""
        return attempts.full(await self.counters.counted(buckets, now), now)

    async def take(
        self, buckets: Sequence[Bucket], now: int, *, unless: Sequence[Bucket] = ()
    ) -> Wait | None:
        """Count one try in each of `buckets`, unless one of them or of `unless` is full; then nothing is counted.

        Counted before the secret is looked at: of a thousand guesses sent at once, to however many processes, exactly as many
        are looked at as the limit says.
        """
        # Asked first, so that guessing on against a full counter costs a read and no write.
        if (wait := await self.full([*unless, *buckets], now)) is not None:
            return wait
        for _ in range(_TRIES):
            if await self.counters.take(buckets, now):
                return None
            # Somebody else's try was the last one; if there is room, its owner got in just now and the counters began anew.
            if (wait := await self.full(buckets, now)) is not None:
                return wait
        return Wait(now + 1)

    async def tries(self, buckets: Sequence[Bucket], now: int) -> int:
        """How many tries the fullest of them has counted."""
        return max((tries for _, tries, _ in await self.counters.counted(buckets, now)), default=0)

    async def filled(self, buckets: Sequence[Bucket], now: int) -> bool:
        """Whether the try just counted was the last one that is looked at: worth a line in the record, once a window."""
        return await self.full(buckets, now) is not None

    def clear(self, buckets: Sequence[Bucket]) -> list[Write]:
        """It was them: the counters of their own tries begin anew (NIST SP 800-63B-4 §3.2.2). Call `forget` when it is committed."""
        # in the order in which they are counted, so that two commits never wait for one another's rows
        return [self.store.attempts.clear(key) for key in sorted(bucket.key for bucket in buckets)]

    async def forget(self, buckets: Sequence[Bucket]) -> None:
        """The other half of `clear`, for what is counted outside the store: after the commit, so that a spent code that is shown
        again, whose commit loses, buys nobody new guesses."""
        await self.counters.forget(buckets)

    def _tag(self, text: str) -> str:
        return self.sealer.tag(_PURPOSE, text)
