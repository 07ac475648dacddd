"""Proof by a typed code: one page, one JSON step and one counter for every factor that is shown so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.secret import Secret
from doorward.core.model.signin import Proof, SignIn
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.core.ports.metrics import Metrics
from doorward.features.audit.service import AuditLog
from doorward.features.authn.flow.factor import TYPED_CODE_STEP, RememberingStep, TypedCode
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.proving import BARRED, GONE, barred_in, begun_by, too_many, with_proof
from doorward.features.authn.flow.remembered import DeviceToRemember
from doorward.features.authn.flow.risk import stored
from doorward.features.rate_limits.rules.attempts import CODE, DAY, Guess, Wait
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store, Write

WRONG: Final = "That code doesn't work. Wait for a new one, or use a recovery code."
_TRIES: Final = 5
_MAX_TYPED: Final = 200
TOLD_AFTER: Final = 3
"""Wrong codes behind a right password within a day, before the owner gets a mail."""


@final
class ProveTypedCode(Struct, frozen=True, kw_only=True):
    """Adds the proof of a typed code to a sign-in in which it is known who the person is."""

    store: Store
    factors: OfferedFactors
    throttle: Throttle
    audit_log: AuditLog
    metrics: Metrics
    mail_queue: MailQueue

    async def prove(
        self,
        sign_in: SignIn,
        *,
        code: Secret,
        kind: str | None = None,
        remember: DeviceToRemember | None = None,
        caller: Caller,
        now: int,
    ) -> SignIn | OAuthError:
        """The sign-in as stored now, or a refusal: access_denied for a code that is wrong, spent or unknown,
        too_many_attempts with `retry_at`, invalid_session when nothing that comes first was proven (recently enough) before.

        With `kind` only that factor compares the code. Without, all factors that can have such a code do, backups first; it is one
        guess. Tries count across all sign-ins of the person (ASVS 6.5.1, R82), and in a row for each authenticator. `remember` is stored
        in the commit of the proof.
        """
        whose = await begun_by(self.store, self.factors, sign_in, now)
        if whose is None:
            return GONE
        account, rows = whose
        guess = await self.throttle.guess(CODE, account.id, account_id=account.id, caller=caller, now=now)
        if isinstance(guess, Wait):
            self.metrics.inc("second_factors", "throttled")
            return too_many(guess, "second factor throttled")
        typed = code.reveal()[:_MAX_TYPED]
        failures = await self.store.factor_failures.of_account(account.id)
        barred = barred_in(failures, known=guess.known)
        looking = [one for one in self._codes(kind) if one.takes(typed)]
        kinds = {one.kind for one in looking}
        asked = [row for row in rows if row.kind in kinds]
        if asked and all(row.id in barred for row in asked):
            self.metrics.inc("second_factors", "throttled")
            return BARRED
        for _ in range(_TRIES):
            usable = [row for row in rows if row.id not in barred]
            found = await self._match(looking, account, usable, typed, sign_in.id, now)
            if found is None:
                break
            factor, proof, spend = found
            changed = with_proof(sign_in, account.id, proof)
            writes = [
                *spend,
                self.store.sign_ins.replace(sign_in, changed),
                *self.throttle.clear(guess.own),
                self.audit_log.write(
                    "second_factor.succeeded",
                    caller=caller,
                    now=now,
                    account_id=account.id,
                    method=proof.kind,
                ),
                *factor.spent(account, rows, caller, now),
                *((self.store.factor_failures.clear(account.id),) if failures else ()),
                *(await remember.writes(account, rows) if remember is not None else ()),
            ]
            if await self.store.commit(*writes):
                await self.throttle.forget(guess.own)
                return changed
            # Lost: either the code was spent in between, then it no longer matches, or the sign-in moved on. If it moved on to another
            # person, the code is not compared with theirs: the guess was counted for the first one.
            current = await self.store.sign_ins.get(sign_in.id)
            if current is None or current.account_id != account.id:
                return GONE
            whose = await begun_by(self.store, self.factors, current, now)
            if whose is None:
                return GONE
            sign_in, (account, rows) = current, whose
        # backups are not counted in a row: no guess finds one of their codes
        failed = [row.id for row in stored(rows) if row.kind in kinds - self.factors.backups]
        return await self._failed(account, guess, failed, caller, now)

    def _codes(self, kind: str | None) -> list[TypedCode]:
        """The handlers that may compare a code, backups first: their codes have a shape of their own."""
        ordered = sorted(self.factors.all, key=lambda one: not one.traits.backup)
        found = [one.typed_code for one in ordered if one.typed_code is not None]
        return [one for one in found if kind is None or one.kind == kind]

    async def _match(
        self,
        looking: Sequence[TypedCode],
        account: Account,
        rows: Sequence[EnrolledFactor],
        typed: str,
        request: str,
        now: int,
    ) -> tuple[TypedCode, Proof, Sequence[Write]] | None:
        for code in looking:
            found = await code.match(account, rows, typed, request, now)
            if found is not None:
                return code, *found
        return None

    async def _failed(
        self, account: Account, guess: Guess, failed: Sequence[str], caller: Caller, now: int
    ) -> OAuthError:
        await self.store.commit(
            *self.throttle.missed(guess, now),
            *((self.store.factor_failures.add(sorted(failed), known=guess.known),) if failed else ()),
            self.audit_log.write(
                "second_factor.failed", caller=caller, now=now, account_id=account.id, ok=False
            ),
        )
        self.metrics.inc("second_factors", "failed")
        if await self.throttle.tries(guess.own, now) >= TOLD_AFTER:
            await self._tell(account, caller, now)
        return OAuthError("access_denied", WRONG, "wrong or spent code")

    async def _tell(self, account: Account, caller: Caller, now: int) -> None:
        """Whoever types codes here has shown the password: its owner hears of it, once a day however many are wrong."""
        mail = owner_mail(self.mail_queue, "second_factor_failed", account, caller, now)
        await self.store.commit(
            self.store.replay_cache.claim("second_factor_failed", account.id, now + DAY, now=now),
            self.store.messages.insert_mail(mail),
        )


@final
class TypedCodeStep(RememberingStep, frozen=True, kw_only=True):
    """The same as a step of the JSON sign-in. A code alone proves nothing: the sign-in is stored by then."""

    prove_code: ProveTypedCode
    name: str = TYPED_CODE_STEP
    field: str = "code"

    async def prove_on(
        self,
        sign_in: SignIn,
        params: Mapping[str, str],
        *,
        remember: DeviceToRemember | None,
        caller: Caller,
        now: int,
    ) -> SignIn | OAuthError:
        """A code of the factor that `method` names, or of whichever factor."""
        return await self.prove_code.prove(
            sign_in,
            code=Secret(params[self.field]),
            kind=params.get("method"),
            remember=remember,
            caller=caller,
            now=now,
        )
