"""Administration of sessions: list those of a person, end one, its whole device, or all access of the person."""

from __future__ import annotations

from collections.abc import Sequence

from doorward.core.model.account import Account
from doorward.core.model.actor import Actor
from doorward.core.model.session import EndReason
from doorward.features.admin.commit import AuditedAdmin
from doorward.features.admin.error import refused
from doorward.features.admin.lookup import find_account
from doorward.features.admin.operation import operation
from doorward.features.sessions.details import SessionDetails, SessionReader
from doorward.features.sessions.revoker import Revoker

MOST_LISTED = 1000
_BY_OPERATOR: EndReason = "ended_by_operator"


class SessionAdmin(AuditedAdmin, frozen=True, kw_only=True):
    """People are named by e-mail address or id. Every method raises `AdminError` when it cannot be done, and every change is audited."""

    revoker: Revoker
    reader: SessionReader

    @operation("people.read")
    async def find(self, actor: Actor, who: str) -> tuple[Account, Sequence[SessionDetails]]:
        """The live sessions of a person, last used first; at most `MOST_LISTED`."""
        account, now = await find_account(self.store, who), self.clock.now()
        live = await self.store.sessions.live_of(account.id, now, limit=MOST_LISTED)
        return account, await self.reader.details(account.id, live, now)

    @operation("people.write")
    async def end(self, actor: Actor, who: str, session_id: str, *, device: bool = False) -> Account:
        """End one live session of a person, its apps except offline ones included. `device`: everything of the browser that it is in."""
        account, now = await find_account(self.store, who), self.clock.now()
        live = await self.store.sessions.live_of(account.id, now)
        found = next((one for one in live if one.id == session_id), None)
        if found is None:
            raise refused("session_not_held", email=account.known_as, given=session_id[:80])
        end = self.revoker.device if device else self.revoker.session
        kind = "device.ended" if device else "session.ended"
        event = self._event(actor, kind, now, account_id=account.id, session=found.id, reason=_BY_OPERATOR)
        await self.store.commit(*await end(found, now=now, reason=_BY_OPERATOR), event)
        await self.revoker.late_in(found, now=now, reason=_BY_OPERATOR, offline=device)
        return account

    @operation("people.write")
    async def end_access(self, actor: Actor, who: str) -> tuple[Account, int]:
        """Everything that lets a person in now or acts for them ends: sessions, apps, API keys, consents, codes, devices that are known or
        remembered. The account stays, and they may sign in again. Returns how many sessions ended."""
        account, now = await find_account(self.store, who), self.clock.now()
        count = len(await self.store.sessions.live_of(account.id, now))
        event = self._event(actor, "account.access_ended", now, account_id=account.id, count=str(count))
        await self.revoker.everything(account.id, now=now, reason=_BY_OPERATOR, also=(event,))
        return account, count
