"""Check of a password, and its proof in a sign-in. Pages and JSON endpoint use the same service (R85)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, final

from doorward.core.errors import HashingBusy, OAuthError
from doorward.core.login_name import looked_up_as
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.secret import Secret
from doorward.core.model.signin import SignIn
from doorward.core.ports.metrics import Metrics
from doorward.core.ports.passwords import PasswordHasher
from doorward.features.audit.service import AuditLog
from doorward.features.authn.factors.password.rules import password as rule
from doorward.features.authn.factors.password.rules.proof import of_password
from doorward.features.authn.flow.proving import DISABLED, GONE, add_proof, too_many, with_proof
from doorward.features.authn.flow.rules.routing import DomainRoutes
from doorward.features.rate_limits.rules.attempts import Guess, Guessed, Wait
from doorward.features.rate_limits.rules.sign_in_starts import SignInRateLimiter
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store, Write

GUESSED: Final = Guessed("password", short=False)
MISMATCH: Final = "That email and password don't match."
"""The same answer for a wrong password and an unknown account (ASVS 6.3.8)."""

ELSEWHERE: Final = OAuthError(
    "redirect_to_web",
    "People of this domain sign in at their provider. Send them to the sign-in page.",
    "the domain is routed to a provider alone",
)
"""For every address of such a domain, with an account or without (R80)."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPassword:
    """Checks a password with all protection against guessing: throttling, a decoy hash for unknown accounts, audit events, and an
    upgrade of outdated hashes; and adds its proof to a sign-in. Used at sign-in and wherever a signed-in person types the password
    again."""

    store: Store
    hasher: PasswordHasher
    throttle: Throttle
    audit_log: AuditLog
    metrics: Metrics
    routes: DomainRoutes = field(default_factory=DomainRoutes)
    limiter: SignInRateLimiter = field(default_factory=SignInRateLimiter)

    async def verify(
        self, identifier: str, password: Secret, *, caller: Caller, now: int
    ) -> Account | OAuthError:
        """The account, if it exists, is enabled and this is its password; else a refusal that does not distinguish these cases.

        The same reads, writes and hashing take place in every case (R80). Raises `HashingBusy`.
        """
        known = await self.verify_uncommitted(identifier, password, caller=caller, now=now)
        if isinstance(known, OAuthError):
            return known
        account, writes = known
        await self.store.commit(*writes)
        return account

    async def verify_uncommitted(
        self, identifier: str, password: Secret, *, caller: Caller, now: int
    ) -> tuple[Account, list[Write]] | OAuthError:
        """As `verify`, but on success the writes are returned, for the caller's own commit."""
        if self.routes.only(identifier) is not None:
            # decided by the domain before anything is read or counted: the same for every address of it
            return ELSEWHERE
        who = looked_up_as(identifier)
        account = await self.store.accounts.by_email(who)
        account_id = account.id if account else None
        guess = await self.throttle.guess(GUESSED, who, account_id=account_id, caller=caller, now=now)
        if isinstance(guess, Wait):
            self.metrics.inc("sign_ins", "throttled")
            return too_many(guess, "throttled by person or address")
        raw = password.reveal() if len(password.reveal()) <= rule.MAX_TYPED else ""
        typed = rule.prepare(raw)
        stored = account.password_hash if account is not None else None
        if account is not None and self.routes.only(account.email) is not None:
            # found by another name than the address of the domain: like a wrong password
            stored = None
        good = await self.hasher.verify(stored if typed else None, Secret(typed), typed=Secret(raw))
        if not good or account is None or stored is None or account.disabled_at is not None:
            why = "unknown" if account is None else "disabled" if good else "password"
            return await self._failed(account_id, why, guess, caller, now)
        # counted apart from sign-ins by session: otherwise a stolen session could lock its owner out everywhere
        shown = f"password {account.id}"
        if (until := self.limiter.full(shown, now)) is not None:
            # Correct sign-ins are limited too: each writes audit events and creates a session whose end is sent to every API.
            return too_many(Wait(until), "sign-ins of one person")
        self.limiter.note(shown, now)
        if self.hasher.outdated(stored):
            await self._rehash(account, stored, typed)
        # The password is right even if the caller's commit fails, so clearing the counter here gives an attacker no guess.
        await self.throttle.forget(guess.own)
        return account, self.throttle.clear(guess.own)

    async def prove(
        self, sign_in: SignIn, identifier: str, password: Secret, *, caller: Caller, now: int
    ) -> SignIn | OAuthError:
        """Add the proof of a password to a stored sign-in. The result is the sign-in as stored now, or a refusal: access_denied (one
        text for all reasons), too_many_attempts with `retry_at`, invalid_session. Raises `HashingBusy`."""
        if sign_in.done_at is not None or now >= sign_in.expires_at:
            return GONE
        known = await self.verify_uncommitted(identifier, password, caller=caller, now=now)
        if isinstance(known, OAuthError):
            return known
        account, writes = known
        proof = of_password(account, now)
        return await add_proof(self.store, sign_in, account.id, proof, now, *writes)

    async def prove_new(
        self, sign_in: SignIn, identifier: str, password: Secret, *, caller: Caller, now: int
    ) -> tuple[SignIn, list[Write]] | OAuthError:
        """For a sign-in that is not stored yet: the changed sign-in, and the writes that store it, for the caller's commit. The
        refusals are those of `prove`, and leave it unstored. Raises `HashingBusy`."""
        known = await self.verify_uncommitted(identifier, password, caller=caller, now=now)
        if isinstance(known, OAuthError):
            return known
        account, writes = known
        changed = with_proof(sign_in, account.id, of_password(account, now))
        return changed, [self.store.sign_ins.insert(changed), *writes]

    async def _failed(
        self, account_id: str | None, why: str, guess: Guess, caller: Caller, now: int
    ) -> OAuthError:
        writes = [
            *self.throttle.missed(guess, now),
            self.audit_log.write(
                "sign_in.failed", caller=caller, now=now, account_id=account_id, ok=False, reason=why
            ),
        ]
        # whether the attempt just counted was the last one allowed: one audit event per window
        if await self.throttle.full(guess.own, now) is not None:
            writes.append(
                self.audit_log.write(
                    "sign_in.throttled", caller=caller, now=now, account_id=account_id, ok=False
                )
            )
        await self.store.commit(*writes)
        self.metrics.inc("sign_ins", "failed")
        return OAuthError("access_denied", DISABLED if why == "disabled" else MISMATCH, why)

    async def _rehash(self, account: Account, stored: str, typed: str) -> None:
        # The sign-in succeeds in either case: when the pool is busy, the next sign-in makes the newer hash.
        try:
            fresh = await self.hasher.hash(Secret(typed))
        except HashingBusy:
            return
        await self.store.commit(self.store.accounts.rehash(account.id, stored, fresh))
