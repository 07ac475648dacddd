"""Removal of a passkey by its owner, and the end of what was signed in with one (R73, R94)."""

from __future__ import annotations

from typing import Literal, TypeAlias, final

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.session import Session
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.features.audit.service import AuditLog
from doorward.features.authn.factors.passkeys.rules.proof import KINDS
from doorward.features.authn.flow.changes import decided, guards, held_methods
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.sign_in_flow import SignInFlow
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store

Outcome: TypeAlias = Literal["gone", "last", "last_step", "over"] | Wait | None


@final
class RemovePasskey(Struct, frozen=True, kw_only=True):
    """The caller makes sure that the owner has signed in recently."""

    store: Store
    factors: OfferedFactors
    flow: SignInFlow
    throttle: Throttle
    audit_log: AuditLog
    mail_queue: MailQueue
    revoker: Revoker

    async def remove(
        self, account: Account, session: Session, factor_id: str, *, caller: Caller, now: int
    ) -> Outcome:
        """Remove a passkey. None: it is removed. `gone`: it is not theirs, or not there any more. `last`: nothing else is left to sign in with.
        `last_step`: a second step is demanded of the person, and no other is left (R84). `over`: the account changed at every try.

        Other sessions that a passkey vouches for end. They do not say which: one that is left would stand for the one that is gone.
        """
        return await decided(
            lambda first: self._remove(account, session, factor_id, caller=caller, now=now, counted=first)
        )

    async def _remove(
        self, account: Account, session: Session, factor_id: str, *, caller: Caller, now: int, counted: bool
    ) -> Outcome:
        found = await held_methods(self.store, account.id)
        if found is None:
            return "gone"
        account, rows = found.account, found.rows
        passkeys = await self.store.passkeys.of_account(account.id)
        passkey = next((one for one in passkeys if one.factor_id == factor_id), None)
        if passkey is None:
            return "gone"
        left = [row for row in rows if row.id != factor_id]
        if not await self.factors.way_in(account, left):
            return "last"
        if not await self.flow.enough(account, left, now):
            return "last_step"
        if counted and (wait := await self.throttle.change("methods", account.id, now)) is not None:
            return wait
        orphans = self.factors.orphaned(left)
        mail = owner_mail(self.mail_queue, "passkey_removed", account, caller, now, name=passkey.name)
        done = await self.store.commit(
            *guards(self.store, found, session_id=session.id),
            self.store.accounts.remove_factor(account.id, factor_id),
            *(self.store.accounts.remove_factors(account.id, kind) for kind in orphans),
            *self.flow.unmet(account, left),
            self.store.messages.insert_mail(mail),
            self.audit_log.write(
                "passkey.removed",
                caller=caller,
                now=now,
                account_id=account.id,
                session_id=session.id,
                factor=factor_id,
            ),
            *await self.revoker.others_by(session, KINDS, now=now, reason="revoked"),
        )
        return None if done else "over"
