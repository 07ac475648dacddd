"""Check of a password, and its proof in a sign-in. Pages and JSON endpoint call the same service (R85)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, final

from doorward.core.errors import HashingBusy, Refusal
from doorward.core.login_name import looked_up_as
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.secret import Secret
from doorward.core.model.signin import SignIn
from doorward.core.ports.metrics import Meter
from doorward.core.ports.passwords import PasswordHasher
from doorward.features.audit.service import Record
from doorward.features.authn.factors.password.rules import password as rule
from doorward.features.authn.factors.password.rules.proof import of_password
from doorward.features.authn.flow.proving import GONE, add_proof, too_many, with_proof
from doorward.features.rate_limits.rules.attempts import Guess, Wait
from doorward.features.rate_limits.rules.sign_in_starts import Begun
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store, Write

MISMATCH: Final = "That email and password don't match."
"""The one answer for a wrong password and an unknown person (ASVS 6.3.8)."""
DISABLED: Final = "This account is disabled. Ask the people who run this service."
"""For who has shown the right password of a disabled account: nobody else learns that there is one."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPassword:
    """Whether this is the person's password, with everything around it that guessing must not get past: throttling, a decoy
    for the unknown, the record, a newer hash. Used at sign-in and wherever a signed-in person types their password again."""

    store: Store
    hasher: PasswordHasher
    throttle: Throttle
    record: Record
    meter: Meter
    begun: Begun = field(default_factory=Begun)

    async def verify(
        self, identifier: str, password: Secret, *, caller: Caller, now: int
    ) -> Account | Refusal:
        """The account, if it exists, is enabled and this is its password; else a refusal that does not tell these apart.

        The same reads, writes and hashing take place whichever it is (line 80). Raises `HashingBusy`.
        """
        known = await self.verify_uncommitted(identifier, password, caller=caller, now=now)
        if isinstance(known, Refusal):
            return known
        account, writes = known
        await self.store.commit(*writes)
        return account

    async def verify_uncommitted(
        self, identifier: str, password: Secret, *, caller: Caller, now: int
    ) -> tuple[Account, list[Write]] | Refusal:
        """As `verify`, with what is to be written for somebody who is let in: it goes along with the caller's own commit."""
        who = looked_up_as(identifier)
        account = await self.store.accounts.by_email(who)
        account_id = account.id if account else None
        guess = await self.throttle.guess("password", who, account_id=account_id, caller=caller, now=now)
        if isinstance(guess, Wait):
            self.meter.count("sign_ins", "throttled")
            return too_many(guess, "throttled by person or address")
        typed = rule.prepare(password.reveal()) if len(password.reveal()) <= rule.MAX_TYPED else ""
        stored = account.password_hash if account is not None else None
        good = await self.hasher.verify(stored if typed else None, Secret(typed))
        if not good or account is None or stored is None or account.disabled_at is not None:
            why = "unknown" if account is None else "disabled" if good else "password"
            return await self._failed(account_id, why, guess, caller, now)
        # apart from the sign-ins that a session begins: who has stolen one would else keep its owner out everywhere
        shown = f"password {account.id}"
        if (until := self.begun.full(shown, now)) is not None:
            # The right one, again and again: each leaves lines in the record, and a session that every API hears of when it ends.
            return too_many(Wait(until), "sign-ins of one person")
        self.begun.note(shown, now)
        if self.hasher.outdated(stored):
            await self._rehash(account, stored, typed)
        # The password is right whatever becomes of the caller's commit, so no guess is won by forgetting here already.
        await self.throttle.forget(guess.own)
        return account, self.throttle.clear(guess.own)

    async def _failed(
        self, account_id: str | None, why: str, guess: Guess, caller: Caller, now: int
    ) -> Refusal:
        writes = [
            *self.throttle.missed(guess, now),
            self.record.write(
                "sign_in.failed", caller=caller, now=now, account_id=account_id, ok=False, reason=why
            ),
        ]
        if await self.throttle.filled(guess.own, now):
            writes.append(
                self.record.write(
                    "sign_in.throttled", caller=caller, now=now, account_id=account_id, ok=False
                )
            )
        await self.store.commit(*writes)
        self.meter.count("sign_ins", "failed")
        return Refusal("access_denied", DISABLED if why == "disabled" else MISMATCH, why)

    async def _rehash(self, account: Account, stored: str, typed: str) -> None:
        # The person is in either way: when the pool is busy, the next sign-in makes the newer hash.
        try:
            fresh = await self.hasher.hash(Secret(typed))
        except HashingBusy:
            return
        await self.store.commit(self.store.accounts.rehash(account.id, stored, fresh))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProvePassword:
    """Adds the proof of a password to a sign-in."""

    store: Store
    check: CheckPassword

    async def prove(
        self, sign_in: SignIn, identifier: str, password: Secret, *, caller: Caller, now: int
    ) -> SignIn | Refusal:
        """The sign-in as stored now, or a refusal: access_denied (one text for all reasons), too_many_attempts with `retry_at`,
        invalid_session. Raises `HashingBusy`."""
        if sign_in.done_at is not None or now >= sign_in.expires_at:
            return GONE
        known = await self.check.verify_uncommitted(identifier, password, caller=caller, now=now)
        if isinstance(known, Refusal):
            return known
        account, writes = known
        proof = of_password(account, now)
        return await add_proof(self.store, sign_in, account.id, proof, now, *writes)

    async def prove_new(
        self, sign_in: SignIn, identifier: str, password: Secret, *, caller: Caller, now: int
    ) -> tuple[SignIn, list[Write]] | Refusal:
        """For a sign-in that nobody has stored yet: what it is now, and the writes that store it, for the caller's commit.
        The same refusals as of `prove`; after one of them it still is not stored. Raises `HashingBusy`."""
        known = await self.check.verify_uncommitted(identifier, password, caller=caller, now=now)
        if isinstance(known, Refusal):
            return known
        account, writes = known
        changed = with_proof(sign_in, account.id, of_password(account, now))
        return changed, [self.store.sign_ins.insert(changed), *writes]
