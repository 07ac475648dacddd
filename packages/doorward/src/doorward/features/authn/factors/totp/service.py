"""Somebody who has shown their password shows a code of their authenticator app, or a recovery code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from doorward.core import text
from doorward.core.errors import Refusal
from doorward.core.model.account import Account, Factor
from doorward.core.model.caller import Caller
from doorward.core.model.device import describe
from doorward.core.model.secret import Secret
from doorward.core.model.signin import Proof, SignIn
from doorward.core.ports.keys import Sealer
from doorward.core.ports.mail_queue import Postman
from doorward.core.ports.metrics import Meter
from doorward.core.ports.store import Store, Write
from doorward.features.audit.service import Record
from doorward.features.authn.factors.password.service import GONE, too_many, with_proof
from doorward.features.authn.factors.recovery_codes import rules as recovery_code
from doorward.features.authn.factors.totp import rules as totp
from doorward.features.authn.flow.rules.assurance import counting
from doorward.features.authn.flow.rules.standing import of_recovery_code, of_totp, standing
from doorward.features.rate_limits.rules.attempts import DAY, Guess, Wait
from doorward.features.rate_limits.service import Throttle

WRONG: Final = "That code doesn't work. Wait for a new one, or use a recovery code."
SEED_PURPOSE: Final = "totp"
_TRIES: Final = 5
_MAX_TYPED: Final = 200
TOLD_AFTER: Final = 3
"""Wrong codes behind a right password within a day, before the owner gets a mail."""


@dataclass(frozen=True, slots=True)
class ProveSecondFactor:
    """Adds the proof of a second factor to a sign-in whose password was proven."""

    store: Store
    sealer: Sealer
    throttle: Throttle
    record: Record
    meter: Meter
    postman: Postman

    async def offered(self, sign_in: SignIn) -> tuple[Account | None, bool]:
        """For the page that asks: whose sign-in it is, and whether there is a recovery code left."""
        account = await self.store.accounts.get(sign_in.account_id or "")
        factors = await self.store.accounts.factors(sign_in.account_id or "")
        return account, recovery_code.left(factors) > 0

    async def __call__(
        self,
        sign_in: SignIn,
        *,
        code: Secret,
        address: str,
        devices: tuple[bytes, ...],
        now: int,
        user_agent: str = "",
        request_id: str = "",
    ) -> SignIn | Refusal:
        """The sign-in as stored now, or a refusal: access_denied for a code that is wrong, spent or unknown,
        too_many_attempts with `retry_at`, invalid_session when no password was proven (recently enough) before.

        Tries count across all sign-ins of the person (ASVS 6.5.1, line 82).
        """
        caller = Caller(address, user_agent, request_id)
        account = await self._whose(sign_in, now)
        if account is None:
            return GONE
        guess = await self.throttle.guess(
            "code", account.id, account_id=account.id, devices=devices, address=address, now=now
        )
        if isinstance(guess, Wait):
            self.meter.count("second_factors", "throttled")
            return too_many(guess, "second factor throttled")
        typed = code.reveal()[:_MAX_TYPED]
        for _ in range(_TRIES):
            factors = await self.store.accounts.factors(account.id)
            found = self._match(factors, typed, now)
            if found is None:
                break
            proof, spend = found
            changed = with_proof(sign_in, account.id, proof)
            writes = [
                spend,
                self.store.sign_ins.replace(sign_in, changed),
                *self.throttle.clear(guess.own),
                self.record.write(
                    "second_factor.succeeded",
                    caller=caller,
                    now=now,
                    account_id=account.id,
                    method=proof.kind,
                ),
            ]
            if proof.kind == "recovery_code":
                left = recovery_code.left(factors) - 1
                mail = self.postman.write(
                    "recovery_code_used",
                    to=account.email,
                    locale=account.locale,
                    now=now,
                    values={"at": now, "left": left, "device": describe(user_agent)},
                )
                writes += [
                    self.record.write(
                        "recovery_codes.used", caller=caller, now=now, account_id=account.id, left=left
                    ),
                    self.store.messages.insert_mail(mail),
                ]
            if await self.store.commit(*writes):
                await self.throttle.forget(guess.own)
                return changed
            # Lost: either the code was spent in between, then it no longer matches, or the sign-in moved on.
            current = await self.store.sign_ins.get(sign_in.id)
            if current is None or await self._whose(current, now) is None:
                return GONE
            sign_in = current
        return await self._failed(account, guess, caller, now)

    async def _whose(self, sign_in: SignIn, now: int) -> Account | None:
        """The account, if its password as it is now was proven in this sign-in and the sign-in still runs. Who has shown an earlier
        one is nobody who may try codes."""
        if sign_in.account_id is None or sign_in.done_at is not None or now >= sign_in.expires_at:
            return None
        account = await self.store.accounts.get(sign_in.account_id)
        if account is None or account.disabled_at is not None:
            return None
        proofs = standing(counting(sign_in.proofs, sign_in.fresh_after), account, ())
        return account if any(proof.kind == "password" for proof in proofs) else None

    def _match(self, factors: Sequence[Factor], typed: str, now: int) -> tuple[Proof, Write] | None:
        digits = text.code(typed)
        if totp.looks_like(digits):
            for factor in factors:
                if factor.kind != "totp" or factor.sealed is None:
                    continue
                seed = self.sealer.open(SEED_PURPOSE, factor.id, factor.sealed)
                step = totp.match(seed, digits, now=now, last_step=factor.last_step)
                if step is not None:
                    return of_totp(factor, now), self.store.accounts.use_totp_step(factor.id, step)
            return None
        found = recovery_code.match(factors, typed)
        if found is None:
            return None
        return of_recovery_code(found, now), self.store.accounts.use_recovery_code(found.id, now)

    async def _failed(self, account: Account, guess: Guess, caller: Caller, now: int) -> Refusal:
        await self.store.commit(
            *self.throttle.missed(guess, now),
            self.record.write(
                "second_factor.failed", caller=caller, now=now, account_id=account.id, ok=False
            ),
        )
        self.meter.count("second_factors", "failed")
        if await self.throttle.tries(guess.own, now) >= TOLD_AFTER:
            await self._tell(account, caller, now)
        return Refusal("access_denied", WRONG, "wrong or spent code")

    async def _tell(self, account: Account, caller: Caller, now: int) -> None:
        """Whoever types codes here has shown the password: its owner hears of it, once a day however many are wrong."""
        mail = self.postman.write(
            "second_factor_failed",
            to=account.email,
            locale=account.locale,
            now=now,
            values={"at": now, "device": describe(caller.user_agent)},
        )
        await self.store.commit(
            self.store.attempts.claim("second_factor_failed", account.id, now + DAY, now=now),
            self.store.messages.insert_mail(mail),
        )
