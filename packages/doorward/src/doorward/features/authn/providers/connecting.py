"""Connections between accounts and identities at providers: made, ended, and made with a new account (R89, R90)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, final

from msgspec import Struct

from doorward.core.login_name import normalise_name
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.provider import ExternalIdentity, PendingIdentity
from doorward.core.model.session import Session
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.flow.changes import decided, guards, held_methods
from doorward.features.authn.flow.new_account import NewAccounts
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.providers.provider import IdentityProvider
from doorward.features.authn.providers.rules.id_token import UpstreamClaims
from doorward.features.authn.providers.rules.identity import (
    EXTERNAL,
    PROVIDED_KINDS,
    kept_under,
    stated_email,
)
from doorward.features.authn.providers.rules.mapping import without_mapped
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store

MOST: Final = 10
"""Identities of one account."""
Disconnected: TypeAlias = Literal["gone", "last", "over"] | Wait | None


@final
class ConnectIdentities(Struct, frozen=True, kw_only=True):
    """The caller makes sure that the owner is signed in, and has signed in recently."""

    store: Store
    random: SecureRandom
    accounts: NewAccounts
    factors: OfferedFactors
    throttle: Throttle
    audit_log: AuditLog
    mail_queue: MailQueue
    revoker: Revoker

    async def of(self, account: Account) -> Sequence[ExternalIdentity]:
        """Those of a person, oldest first."""
        return await self.store.external_identities.of_account(account.id)

    async def with_rows(self, account: Account) -> Sequence[tuple[ExternalIdentity, EnrolledFactor]]:
        """The same, each with its row, which says when it was connected, and to which section of the settings."""
        rows = {row.id: row for row in await self.store.accounts.factors(account.id)}
        return [(one, rows[one.factor_id]) for one in await self.of(account) if one.factor_id in rows]

    async def pending(self, browser_hash: bytes, now: int) -> PendingIdentity | None:
        """What waits in this browser for its owner to sign in."""
        found = await self.store.external_identities.pending(browser_hash)
        return found if found is not None and now < found.expires_at else None

    async def drop(self, pending: PendingIdentity) -> None:
        """The person does not want it connected."""
        await self.store.commit(self.store.external_identities.end_pending(pending))

    async def connect(
        self,
        account: Account,
        provider: IdentityProvider,
        *,
        issuer: str,
        subject: str,
        email: str,
        session_id: str,
        caller: Caller,
        now: int,
        pending: PendingIdentity | None = None,
    ) -> ExternalIdentity | Literal["taken", "over"]:
        """The identity belongs to this account from now on, and its owner is told by mail. `taken`: another account has it, or this one has too many.
        `over`: what waited was taken already, or the account changed meanwhile."""
        known = await self.store.external_identities.by_subject(issuer, subject)
        if known is not None:
            return known if known.account_id == account.id else "taken"
        found = await held_methods(self.store, account.id)
        if found is None:
            return "over"
        if sum(one.kind == EXTERNAL for one in found.rows) >= MOST:
            return "taken"
        if await self.throttle.change("methods", account.id, now) is not None:
            return "over"
        row, identity = self._new(account.id, provider, issuer, subject, email, now)
        mail = owner_mail(
            self.mail_queue, "provider_connected", account, caller, now, name=provider.policy.label
        )
        done = await self.store.commit(
            *((self.store.external_identities.end_pending(pending),) if pending is not None else ()),
            *guards(self.store, found, session_id=session_id),
            self.store.accounts.add_factor(row),
            self.store.external_identities.insert(identity),
            self.store.messages.insert_mail(mail),
            self.audit_log.write(
                "provider.connected",
                caller=caller,
                now=now,
                account_id=account.id,
                session_id=session_id,
                provider=provider.name,
                factor=row.id,
            ),
        )
        return identity if done else "over"

    async def sign_up(
        self,
        provider: IdentityProvider,
        claims: UpstreamClaims,
        *,
        email: str | None,
        caller: Caller,
        now: int,
    ) -> ExternalIdentity | None:
        """A new account for a confirmed address, or without an address. None: an account has the address, or the identity, since a moment;
        or there may be no account without an address yet, since an older program runs, which would not know what to do with it."""
        name = normalise_name(claims.name or "") or None
        account = self.accounts.begun(email=email, now=now, name=name)
        writes = await self.accounts.writes(
            account, by="provider", caller=caller, now=now, provider=provider.name
        )
        if writes is None:
            return None
        shown = email or stated_email(claims) or ""
        row, identity = self._new(account.id, provider, claims.issuer, claims.subject, shown, now)
        made = await self.store.commit(
            *writes,
            self.store.accounts.add_factor(row),
            self.store.external_identities.insert(identity),
        )
        return identity if made else None

    async def disconnect(
        self, account: Account, session: Session, factor_id: str, *, label: str, caller: Caller, now: int
    ) -> Disconnected:
        """End a connection. None: it is ended. `gone`: it is not theirs, or not there any more. `last`: nothing else is left to sign in with.
        `over`: the account changed at every try. Other sessions that an identity vouches for end, and so do sign-ins in progress (R94)."""
        return await decided(
            lambda first: self._disconnect(
                account, session, factor_id, label=label, caller=caller, now=now, counted=first
            )
        )

    async def _disconnect(
        self,
        account: Account,
        session: Session,
        factor_id: str,
        *,
        label: str,
        caller: Caller,
        now: int,
        counted: bool,
    ) -> Disconnected:
        found = await held_methods(self.store, account.id)
        if found is None:
            return "gone"
        account, rows = found.account, found.rows
        if not any(row.id == factor_id and row.kind == EXTERNAL for row in rows):
            return "gone"
        left = [row for row in rows if row.id != factor_id]
        if not await self.factors.way_in(account, left):
            return "last"
        if counted and (wait := await self.throttle.change("methods", account.id, now)) is not None:
            return wait
        ended = [one for one in await self.of(account) if one.factor_id == factor_id]
        without = without_mapped(account, ended)
        mail = owner_mail(self.mail_queue, "provider_disconnected", account, caller, now, name=label)
        done = await self.store.commit(
            *guards(self.store, found, session_id=session.id),
            self.store.accounts.remove_factor(account.id, factor_id),
            # what the provider's mapping gave goes with the connection
            *((self.store.accounts.replace(without, old=account),) if without != account else ()),
            *self.revoker.lost_roles(account, without, now=now),
            self.store.messages.insert_mail(mail),
            self.audit_log.write(
                "provider.disconnected",
                caller=caller,
                now=now,
                account_id=account.id,
                session_id=session.id,
                factor=factor_id,
            ),
            *await self.revoker.others_by(session, PROVIDED_KINDS, now=now, reason="revoked"),
        )
        return None if done else "over"

    def _new(
        self,
        account_id: str,
        provider: IdentityProvider,
        issuer: str,
        subject: str,
        email: str,
        now: int,
    ) -> tuple[EnrolledFactor, ExternalIdentity]:
        row = EnrolledFactor(
            id=self.random.new_id("fac"),
            account_id=account_id,
            kind=EXTERNAL,
            created_at=now,
            code_hash=kept_under(issuer, provider.policy),
        )
        identity = ExternalIdentity(
            factor_id=row.id, account_id=account_id, issuer=issuer, subject=subject, email=email
        )
        return row, identity
