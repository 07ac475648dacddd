"""Passkeys of a person: added, renamed, and removed by their owner (Level 3 §7.1; R73)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, final

from msgspec import Struct, structs

from doorward.adapters.background import loaded
from doorward.adapters.logs import logger
from doorward.core import text as forms
from doorward.core.lean_import import Deferred
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.passkey import Passkey
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.factors.passkeys.ceremonies import Options, PasskeyCeremonies
from doorward.features.authn.factors.passkeys.relying_party import RP_ID_META
from doorward.features.authn.factors.passkeys.rules.ceremony import PasskeyProblem
from doorward.features.authn.factors.passkeys.rules.proof import (
    MAX_NAME,
    MOST,
    PASSKEY,
    SECURITY_KEY,
    suggested_as_second,
)
from doorward.features.authn.factors.passkeys.rules.provider import provider
from doorward.features.authn.factors.passkeys.rules.response import registration_response
from doorward.features.authn.flow.changes import HeldMethods, guards, held_methods
from doorward.features.authn.flow.gate import NewFactors
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store, Write

if TYPE_CHECKING:
    from doorward.features.authn.factors.passkeys import metadata as makers
    from doorward.features.authn.factors.passkeys.rules import attestation, registration
else:
    # what they import is large
    makers = Deferred("doorward.features.authn.factors.passkeys.metadata")
    attestation = Deferred("doorward.features.authn.factors.passkeys.rules.attestation")
    registration = Deferred("doorward.features.authn.factors.passkeys.rules.registration")

_log = logger("passkeys")


class Prepared(Struct, frozen=True):
    """A passkey that may be stored, with the writes that do so; the last checks are their guards."""

    passkey: Passkey
    row: EnrolledFactor
    user_verified: bool
    writes: tuple[Write, ...]


class NotAdded(Struct, frozen=True):
    """Why a passkey was not added: the answer of the browser is refused, it is known already, there are too many, it is not of a
    permitted make, or a server of an older version still runs. `code` is the check that failed, for the log."""

    why: Literal["refused", "known", "too_many", "authenticator", "not_yet"]
    code: str = ""


@final
class OwnPasskeys(Struct, frozen=True, kw_only=True):
    """The caller makes sure that the owner has signed in recently, or is setting up a factor in a sign-in."""

    store: Store
    random: SecureRandom
    ceremonies: PasskeyCeremonies
    throttle: Throttle
    audit_log: AuditLog
    mail_queue: MailQueue
    gate: NewFactors
    metadata: makers.AuthenticatorMetadata | None = None
    allowed: frozenset[str] = frozenset()

    async def options(
        self, account: Account, *, binding: str, browser_hash: bytes, now: int, silently: bool = False
    ) -> Options:
        """Options to create a passkey. Nothing is written. `binding`: the id of the session, or of the sign-in."""
        passkeys = await self.store.passkeys.of_account(account.id)
        return self.ceremonies.to_create(
            account, passkeys, binding=binding, browser_hash=browser_hash, now=now, silently=silently
        )

    async def add(
        self,
        account: Account,
        text: str,
        *,
        session_id: str,
        browser_hash: bytes,
        second: bool | None = None,
        caller: Caller,
        now: int,
        silently: bool = False,
    ) -> Passkey | NotAdded | Wait:
        """Store the passkey that the browser made for these options, in the session of its owner."""
        rows = await self.store.accounts.factors(account.id)
        prepared = await self.prepare(
            account,
            text,
            binding=session_id,
            browser_hash=browser_hash,
            second=second,
            caller=caller,
            now=now,
            silently=silently,
        )
        if not isinstance(prepared, Prepared):
            return prepared
        first = guards(self.store, HeldMethods(account, rows), session_id=session_id)
        # lost: the same answer, or the same credential, was stored in this moment, or the account or the session changed
        return prepared.passkey if await self.store.commit(*first, *prepared.writes) else NotAdded("known")

    async def prepare(
        self,
        account: Account,
        text: str,
        *,
        binding: str,
        browser_hash: bytes,
        second: bool | None,
        caller: Caller,
        now: int,
        silently: bool = False,
    ) -> Prepared | NotAdded | Wait:
        """Check the browser's answer, and say what to commit. `second`: whether its owner wants to be asked for it after the password,
        too; None if they were not asked."""
        if not await self.gate.open():
            return NotAdded("not_yet")
        if (wait := await self.throttle.change("methods", account.id, now)) is not None:
            return wait
        response = registration_response(text)
        if response is None:
            return NotAdded("refused", "unreadable")
        await loaded(registration)
        made = registration.registered(
            response,
            self.ceremonies.expected(
                "create_silently" if silently else "create",
                binding=binding,
                browser_hash=browser_hash,
                now=now,
            ),
            attest=await self._policy(now),
        )
        if isinstance(made, PasskeyProblem):
            await self._refuse(account, made, caller, now)
            return NotAdded(
                "authenticator" if made.code.startswith(("attestation_", "authenticator")) else "refused",
                made.code,
            )
        if await self.store.passkeys.by_credential(made.credential_id) is not None:
            return NotAdded("known")
        if len(await self.store.passkeys.of_account(account.id)) >= MOST:
            return NotAdded("too_many")
        prepared = self._prepared(account, made, second=second, caller=caller, now=now, silently=silently)
        named = await self.store.meta(RP_ID_META)
        if named is None:
            name = self.store.put_meta(RP_ID_META, self.ceremonies.rp_id)
            return structs.replace(prepared, writes=(*prepared.writes, name))
        # another node runs with other settings: passkeys of two ids would not be told apart
        return prepared if named == self.ceremonies.rp_id else NotAdded("refused", "rp_id")

    def _prepared(
        self,
        account: Account,
        made: registration.NewPasskey,
        *,
        second: bool | None,
        caller: Caller,
        now: int,
        silently: bool,
    ) -> Prepared:
        if not silently and (second is None or not made.user_verified):
            second = suggested_as_second(
                discoverable=made.discoverable,
                user_verified=made.user_verified,
                transports=made.transports,
            )
        row = EnrolledFactor(
            id=self.random.new_id("fac"),
            account_id=account.id,
            kind=(SECURITY_KEY if second and not silently else PASSKEY).kind,
            created_at=now,
        )
        passkey = Passkey(
            factor_id=row.id,
            account_id=account.id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            alg=made.alg,
            sign_count=made.sign_count,
            aaguid=made.aaguid,
            name=provider(made.aaguid) or "",
            transports=made.transports,
            discoverable=made.discoverable,
            user_verified=made.user_verified,
            backup_eligible=made.backup_eligible,
            backed_up=made.backed_up,
            attestation=made.attestation,
            made_silently=silently,
        )
        mail = owner_mail(self.mail_queue, "passkey_added", account, caller, now, name=passkey.name)
        return Prepared(
            passkey,
            row,
            made.user_verified,
            (
                self.ceremonies.claim(made.challenge, now),
                self.store.accounts.add_factor(row),
                self.store.passkeys.insert(passkey),
                self.gate.close_behind(),
                self.store.messages.insert_mail(mail),
                self.audit_log.write(
                    "passkey.added",
                    caller=caller,
                    now=now,
                    account_id=account.id,
                    factor=row.id,
                    method=row.kind,
                    provider=passkey.name,
                    attestation=passkey.attestation,
                ),
            ),
        )

    async def rename(
        self, account: Account, factor_id: str, name: str, *, caller: Caller, now: int
    ) -> bool | Wait:
        """Give a passkey another name; "" is that of its provider. False: it is not theirs, or the name is too long."""
        passkey = await self.of_owner(account, factor_id)
        if passkey is None:
            return False
        wanted = forms.name(name) or provider(passkey.aaguid) or ""
        if len(wanted) > MAX_NAME:
            return False
        if (wait := await self.throttle.change("methods", account.id, now)) is not None:
            return wait
        return await self.store.commit(
            self.store.passkeys.rename(factor_id, wanted),
            self.audit_log.write(
                "passkey.renamed", caller=caller, now=now, account_id=account.id, factor=factor_id
            ),
        )

    async def ask_for(
        self,
        account: Account,
        factor_id: str,
        *,
        session_id: str | None,
        second: bool,
        caller: Caller,
        now: int,
    ) -> bool | Wait:
        """Ask for a passkey after the password, too, or no longer; the owner is told by mail. False: it is not theirs, it is so already,
        it has never verified its owner and so cannot sign in alone, or the account or the session changed meanwhile."""
        passkey = await self.of_owner(account, factor_id)
        found = await held_methods(self.store, account.id)
        row = None if found is None else next((one for one in found.rows if one.id == factor_id), None)
        kind = (SECURITY_KEY if second else PASSKEY).kind
        if passkey is None or found is None or row is None or row.kind == kind:
            return False
        if not second and not passkey.user_verified:
            return False
        if (wait := await self.throttle.change("methods", account.id, now)) is not None:
            return wait
        told = "passkey_asked_for" if second else "passkey_not_asked_for"
        mail = owner_mail(self.mail_queue, told, account, caller, now, name=passkey.name)
        return await self.store.commit(
            *guards(self.store, found, session_id=session_id),
            self.store.accounts.replace_kind(row, kind),
            self.store.messages.insert_mail(mail),
            self.audit_log.write(
                "passkey.changed",
                caller=caller,
                now=now,
                account_id=account.id,
                factor=factor_id,
                method=kind,
            ),
        )

    async def of(self, account: Account) -> Sequence[Passkey]:
        """The passkeys of a person, oldest first."""
        return await self.store.passkeys.of_account(account.id)

    async def of_owner(self, account: Account, factor_id: str) -> Passkey | None:
        """The passkey, if it is theirs."""
        passkeys = await self.store.passkeys.of_account(account.id)
        return next((one for one in passkeys if one.factor_id == factor_id), None)

    async def _policy(self, now: int) -> attestation.AttestationPolicy:
        if self.metadata is None:
            return attestation.AttestationPolicy(allowed=self.allowed)
        try:
            await self.metadata.load()
        except (makers.BadMetadata, OSError) as problem:
            # what was read before still counts; where nothing was, no authenticator is trusted
            _log.warning("passkeys.metadata_unread", reason=str(problem))
        if (promised := self.metadata.overdue(now)) is not None:
            _log.warning("passkeys.metadata_overdue", promised=promised.isoformat())
        return attestation.AttestationPolicy(allowed=self.allowed, trust=self.metadata.trust_at(now))

    async def _refuse(self, account: Account, problem: PasskeyProblem, caller: Caller, now: int) -> None:
        await self.store.commit(
            self.audit_log.write(
                "passkey.refused",
                caller=caller,
                now=now,
                account_id=account.id,
                ok=False,
                reason=problem.code,
            )
        )
