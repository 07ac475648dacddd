"""Deletion of what is held of a person at a service, when the service asks for it in the person's name."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final, Literal, final

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.provider import ExternalIdentity
from doorward.core.ports.keys import Sealer
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.flow.changes import HeldMethods, decided, guards
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.waiting_person import waits_as
from doorward.features.authn.providers.oauth2 import OAuth2Provider
from doorward.features.authn.providers.rules.identity import PROVIDED_KINDS
from doorward.features.authn.providers.rules.mapping import without_mapped
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.sessions import MOST_NAMED
from doorward.storage.sql.store import Store, Write

PURPOSE: Final = "provider-deletion"
_ONE_BY_ONE: Final = 20
_MAX_CODE: Final = 100


class DeletionConflict(Exception):
    """The account changed at every try. The service asks again."""


class DeletionRefused(Exception):
    """The account is disabled. The connection stays, since its person could open a new account without it (R72)."""


@final
class DataDeletions(Struct, frozen=True, kw_only=True):
    """What is held of somebody at a service: the number of their account there, its address, and the connection."""

    store: Store
    providers: Mapping[str, OAuth2Provider]
    factors: OfferedFactors
    revoker: Revoker
    audit_log: AuditLog
    mail_queue: MailQueue
    sealer: Sealer
    random: SecureRandom

    async def delete(self, name: str, request: str, *, caller: Caller, now: int) -> str | None:
        """The code with which the person can read that it was done, also where nothing was held. None: the service did not ask for it.
        Raises `DeletionConflict`, and `DeletionRefused` for a disabled account."""
        provider = self.providers[name]
        subject = provider.service.deletion_subject(request, provider.policy, now)
        if subject is None:
            return None
        issuer, identities = provider.policy.issuer, self.store.external_identities

        async def attempt(_first: bool) -> Literal["over"] | None:
            identity = await identities.by_subject(issuer, subject)
            if identity is None:
                await self.store.commit(*self._nobody_waits(issuer, subject))
                return None
            return None if await self._disconnected(provider, identity, caller, now) else "over"

        if await decided(attempt) == "over":
            raise DeletionConflict
        return self._code(name, now)

    def deleted_at(self, name: str, code: str) -> int | None:
        """When the deletion with this code was done (seconds); None: this server gave no such code."""
        said, _, tag = code[:_MAX_CODE].rpartition(".")
        if not hmac.compare_digest(tag.encode("utf-8", "replace"), self._tag(name, said).encode()):
            return None
        return int(said.partition(".")[0])

    async def _disconnected(
        self, provider: OAuth2Provider, identity: ExternalIdentity, caller: Caller, now: int
    ) -> bool:
        account = await self.store.accounts.get(identity.account_id)
        rows = await self.store.accounts.factors(identity.account_id)
        row = next((one for one in rows if one.id == identity.factor_id), None)
        if account is None or row is None:
            return False
        if account.disabled_at is not None:
            raise DeletionRefused
        left = [one for one in rows if one.id != row.id]
        if account.email is None and not await self.factors.way_in(account, left):
            # nobody could ever open it again, and what it holds came from there
            return await self._account_deleted(provider, account, caller, now)
        without = without_mapped(account, (identity,))
        # the request comes from the service: no device of the person made it
        mail = owner_mail(
            self.mail_queue, "provider_disconnected", account, Caller(), now, name=provider.policy.label
        )
        return await self.store.commit(
            *guards(self.store, HeldMethods(account, rows), session_id=None),
            self.store.accounts.remove_factor(account.id, row.id),
            # what the provider's mapping gave goes with the connection
            *((self.store.accounts.replace(without, old=account),) if without != account else ()),
            *self._nobody_waits(identity.issuer, identity.subject),
            *self.revoker.lost_roles(account, without, now=now),
            self.store.messages.insert_mail(mail),
            self.audit_log.write(
                "provider.disconnected",
                caller=caller,
                now=now,
                account_id=account.id,
                by="provider",
                provider=provider.name,
                factor=row.id,
            ),
            *await self._sessions_ended(account, now),
        )

    def _nobody_waits(self, issuer: str, subject: str) -> list[Write]:
        """Whoever waits in a browser, for the owner of an account or with the question for an address, waits no longer."""
        return [
            self.store.external_identities.forget_pending(issuer, subject),
            self.store.messages.detach_tickets(waits_as(issuer, subject)),
        ]

    async def _sessions_ended(self, account: Account, now: int) -> list[Write]:
        """Those that rest on a connection end, with their tokens, as when its owner disconnects it (R94)."""
        live = await self.store.sessions.live_of(account.id, now, limit=MOST_NAMED + 1)
        held = [one for one in live if any(proof.kind in PROVIDED_KINDS for proof in one.proofs)]
        if len(held) > _ONE_BY_ONE or len(live) > MOST_NAMED:
            return await self.revoker.account(account.id, now=now, reason="revoked", sub_entry=False)
        writes = self.revoker.outstanding(account.id, now=now)
        writes.append(self.store.sessions.only_these(account.id, live, now))
        for one in held:
            writes += await self.revoker.session(one, now=now, reason="revoked", offline=True)
        return writes

    async def _account_deleted(
        self, provider: OAuth2Provider, account: Account, caller: Caller, now: int
    ) -> bool:
        done = await self.store.commit(
            self.store.accounts.replace(account, old=account),
            *await self.revoker.account(account.id, now=now, reason="account_deleted", sub_entry=True),
            self.audit_log.write(
                "account.deleted",
                caller=caller,
                now=now,
                account_id=account.id,
                by="provider",
                provider=provider.name,
            ),
            self.store.delete_account(account.id),
        )
        if done:
            await self.revoker.late(account.id, now=now, reason="account_deleted")
        return done

    def _code(self, name: str, now: int) -> str:
        said = f"{now}.{self.random.token(9)}"
        return f"{said}.{self._tag(name, said)}"

    def _tag(self, name: str, said: str) -> str:
        return self.sealer.tag(PURPOSE, f"{name}:{said}")[:16]
