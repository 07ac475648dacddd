"""Proof by a passkey in a sign-in: alone, or after another factor (Level 3 §7.2)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, final

from msgspec import Struct

from doorward.adapters.background import loaded
from doorward.core.errors import OAuthError
from doorward.core.lean_import import Deferred
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.passkey import Passkey
from doorward.core.model.signin import SignIn
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.core.ports.metrics import Metrics
from doorward.features.audit.service import AuditLog
from doorward.features.authn.factors.passkeys.ceremonies import Options, PasskeyCeremonies
from doorward.features.authn.factors.passkeys.rules.ceremony import UV, PasskeyProblem
from doorward.features.authn.factors.passkeys.rules.proof import shown
from doorward.features.authn.factors.passkeys.rules.response import AssertionResponse, assertion_response
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.proving import (
    BARRED,
    DISABLED,
    GONE,
    barred_in,
    begun_by,
    too_many,
    with_proof,
)
from doorward.features.authn.flow.remembered import DeviceToRemember
from doorward.features.rate_limits.rules.attempts import Guess, Guessed, Wait
from doorward.features.rate_limits.service import Throttle
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store

if TYPE_CHECKING:
    from doorward.features.authn.factors.passkeys.rules import assertion
else:
    # what it imports is large
    assertion = Deferred("doorward.features.authn.factors.passkeys.rules.assertion")

REFUSED: Final = "This passkey didn't work. Try again, or use another way."
UNKNOWN: Final = "This passkey isn't known here any more."
UNVERIFIED: Final = "Unlock with your fingerprint, face or PIN, then try again."
COPIED: Final = OAuthError(
    "access_denied",
    "This passkey may have been copied, so it no longer works. Use another way.",
    "passkey copied",
)
_SAID: Final = {"unknown": UNKNOWN, "user_verification": UNVERIFIED, "disabled": DISABLED}
GUESSED: Final = Guessed("passkey", short=False)
_TRIES: Final = 5
_FLAGS: Final = 32


@final
class ProvePasskey(Struct, frozen=True, kw_only=True):
    """Adds the proof of a passkey to a sign-in. Pages and JSON endpoint use the same service (R85)."""

    store: Store
    ceremonies: PasskeyCeremonies
    factors: OfferedFactors
    throttle: Throttle
    audit_log: AuditLog
    metrics: Metrics
    mail_queue: MailQueue
    revoker: Revoker

    async def options(self, sign_in: SignIn | None, *, browser_hash: bytes, now: int) -> Options:
        """Options to use a passkey: any one, until another factor has shown who the person is, then one of theirs. Nothing is
        written."""
        owner = None if sign_in is None else await self._owner(sign_in, now)
        passkeys = None if owner is None else await self.store.passkeys.of_account(owner.id)
        return self.ceremonies.to_get(
            passkeys,
            binding="" if sign_in is None else sign_in.id,
            browser_hash=browser_hash,
            now=now,
        )

    async def prove(
        self,
        sign_in: SignIn,
        text: str,
        *,
        binding: str,
        browser_hash: bytes,
        caller: Caller,
        now: int,
        may_switch: bool = True,
        remember: DeviceToRemember | None = None,
    ) -> SignIn | OAuthError:
        """The sign-in as stored now, or a refusal: access_denied, too_many_attempts with `retry_at`, invalid_session.

        `binding` is the id of the sign-in for which the options were made, "" if there was none. `may_switch`: a passkey of another
        person begins the sign-in anew with that person, as another password does. `remember` is stored in the commit of a second step.
        """
        if sign_in.done_at is not None or now >= sign_in.expires_at:
            return GONE
        response = assertion_response(text)
        if response is None:
            return OAuthError("access_denied", REFUSED, "unreadable passkey response")
        owner = await self._owner(sign_in, now)
        if owner is None and not _verified(response):
            # it says nothing about any account, and is not a guess: the person has only to unlock the device
            return OAuthError("access_denied", UNVERIFIED, "passkey without user verification")
        passkey = await self.store.passkeys.by_credential(response.credential_id)
        guess = await self.throttle.guess(
            GUESSED,
            passkey.account_id if passkey else hashlib.sha256(response.credential_id).hexdigest(),
            account_id=passkey.account_id if passkey else None,
            caller=caller,
            now=now,
        )
        if isinstance(guess, Wait):
            self.metrics.inc("sign_ins", "throttled")
            return too_many(guess, "passkey throttled")
        failures = {} if passkey is None else await self.store.factor_failures.of_account(passkey.account_id)
        if passkey is not None and passkey.factor_id in barred_in(failures, known=guess.known):
            self.metrics.inc("sign_ins", "throttled")
            return BARRED
        await loaded(assertion)
        for _ in range(_TRIES):
            account = await self._account(passkey)
            row = None if passkey is None else await self._row(passkey)
            if passkey is None or row is None:
                return await self._failed(account, None, "unknown", guess, caller, now)
            if account is None:
                # only its owner hears that the account is disabled, and that the browser may keep the passkey
                expected = self.ceremonies.expected(
                    "get", binding=binding, browser_hash=browser_hash, now=now, first=True
                )
                right = isinstance(assertion.asserted(response, passkey, expected), assertion.Assertion)
                return await self._failed(None, None, "disabled" if right else "unknown", guess, caller, now)
            first = owner is None or owner.id != account.id
            if owner is not None and first and not (may_switch and _verified(response)):
                return await self._failed(account, passkey, "account", guess, caller, now)
            expected = self.ceremonies.expected(
                "get", binding=binding, browser_hash=browser_hash, now=now, first=first
            )
            outcome = assertion.asserted(response, passkey, expected)
            if isinstance(outcome, PasskeyProblem):
                return await self._failed(account, passkey, outcome.code, guess, caller, now)
            if isinstance(outcome, assertion.OutOfOrder):
                return await self._failed(account, passkey, "out_of_order", guess, caller, now)
            if isinstance(outcome, assertion.CopiedPasskey):
                if await self._copied(passkey, account, outcome, caller, now):
                    return COPIED
                why = "challenge" if passkey.suspect_at is None else "copied"
                return await self._failed(account, passkey, why, guess, caller, now)
            changed = await self._add(
                sign_in,
                account,
                passkey,
                row,
                outcome,
                guess,
                caller,
                now,
                first=first,
                failed=bool(failures),
                remember=None if first else remember,
            )
            if changed is not None:
                await self.throttle.forget(guess.own)
                return changed
            # Lost: the challenge was spent, the passkey was used or removed, or the sign-in moved on. If nothing has changed since
            # it was read, then it was the challenge.
            current = await self.store.sign_ins.get(sign_in.id)
            if current is None or current.done_at is not None or now >= current.expires_at:
                return GONE
            again = await self.store.passkeys.by_credential(response.credential_id)
            if (current, again, await self._account(again)) == (sign_in, passkey, account):
                return await self._failed(account, passkey, "challenge", guess, caller, now)
            sign_in, passkey, owner = current, again, await self._owner(current, now)
        return await self._failed(None, None, "contended", guess, caller, now)

    async def _add(
        self,
        sign_in: SignIn,
        account: Account,
        passkey: Passkey,
        row: EnrolledFactor,
        used: assertion.Assertion,
        guess: Guess,
        caller: Caller,
        now: int,
        *,
        first: bool,
        failed: bool,
        remember: DeviceToRemember | None,
    ) -> SignIn | None:
        proof = shown(passkey, row, user_verified=used.user_verified, at=now)
        changed = with_proof(sign_in, account.id, proof)
        writes = [
            self.ceremonies.claim(used.challenge, now),
            self.store.passkeys.use(
                passkey,
                sign_count=used.sign_count,
                user_verified=used.user_verified,
                backed_up=used.backed_up,
                at=now,
            ),
            self.store.sign_ins.replace(sign_in, changed),
            *self.throttle.clear(guess.own),
        ]
        if failed:
            writes.append(self.store.factor_failures.clear(account.id))
        if not first:
            writes.append(
                self.audit_log.write(
                    "second_factor.succeeded",
                    caller=caller,
                    now=now,
                    account_id=account.id,
                    method=proof.kind,
                )
            )
        if remember is not None:
            writes += await remember.writes(account, await self.store.accounts.factors(account.id))
        return changed if await self.store.commit(*writes) else None

    async def _owner(self, sign_in: SignIn, now: int) -> Account | None:
        """The account of the sign-in, if another factor has shown who the person is, and still stands."""
        begun = await begun_by(self.store, self.factors, sign_in, now)
        return None if begun is None else begun[0]

    async def _row(self, passkey: Passkey) -> EnrolledFactor | None:
        rows = await self.store.accounts.factors(passkey.account_id)
        return next((row for row in rows if row.id == passkey.factor_id), None)

    async def _account(self, passkey: Passkey | None) -> Account | None:
        account = None if passkey is None else await self.store.accounts.get(passkey.account_id)
        return account if account is not None and account.disabled_at is None else None

    async def _failed(
        self,
        account: Account | None,
        passkey: Passkey | None,
        why: str,
        guess: Guess,
        caller: Caller,
        now: int,
    ) -> OAuthError:
        """Count the failure for the networks and, with a `passkey`, in a row."""
        failures = self.store.factor_failures
        await self.store.commit(
            *self.throttle.missed(guess, now),
            *(() if passkey is None else (failures.add((passkey.factor_id,), known=guess.known),)),
            self.audit_log.write(
                "passkey.refused",
                caller=caller,
                now=now,
                account_id=account.id if account else None,
                ok=False,
                reason=why,
            ),
        )
        self.metrics.inc("sign_ins", "failed")
        if why == "copied":
            return COPIED
        said = _SAID.get(why, REFUSED)
        return OAuthError("access_denied", said, f"passkey refused: {why}")

    async def _copied(
        self, passkey: Passkey, account: Account, found: assertion.CopiedPasskey, caller: Caller, now: int
    ) -> bool:
        """Note that the key exists twice: it is refused from now on, and all that is signed in ends (Level 3 §6.1.1). False for an
        answer that was sent before, and for a passkey that is noted already."""
        mail = owner_mail(self.mail_queue, "passkey_copied", account, caller, now, name=passkey.name)
        noted = await self.store.commit(
            self.ceremonies.claim(found.challenge, now),
            self.store.passkeys.suspect(passkey.factor_id, now),
            self.store.messages.insert_mail(mail),
            self.audit_log.write(
                "passkey.copied",
                caller=caller,
                now=now,
                account_id=account.id,
                ok=False,
                factor=passkey.factor_id,
            ),
            *await self.revoker.account(account.id, now=now, reason="revoked", sub_entry=False),
        )
        if noted:
            await self.revoker.late(account.id, now=now, reason="revoked")
            self.metrics.inc("sign_ins", "failed")
        return noted


def _verified(response: AssertionResponse) -> bool:
    data = response.authenticator_data
    return len(data) > _FLAGS and bool(data[_FLAGS] & UV)
