""" "This wasn't me": the answer to a notice by its link, signed in or not."""

from __future__ import annotations

from typing import final

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.message import NoticeLink
from doorward.core.model.session import EndReason
from doorward.features.audit.service import AuditLog
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.notices.rules.link import answered, usable
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store

_REASON: EndReason = "reported_by_owner"


@final
class NoticeAnswers(Struct, frozen=True, kw_only=True):
    """Whoever has the link can end access, once, and nothing else: it signs nobody in, shows nothing of the account, and leaves all sign-in
    methods as they are."""

    store: Store
    revoker: Revoker
    audit_log: AuditLog
    factors: OfferedFactors

    async def find(self, token: str, now: int) -> NoticeLink | None:
        """The link, answered or not; None if there is no such link, it has expired, or its account is gone or disabled. Nothing is written, so
        that a GET may call this."""
        link = await self.store.owner_notices.link(digest(token[:200]))
        account = None if link is None else await self.store.accounts.get(link.account_id)
        return link if answered(link, account, now) or usable(link, account, now) else None

    async def not_me(self, token: str, *, caller: Caller, now: int) -> NoticeLink | None:
        """End all sessions, grants, API keys, codes and sign-ins in progress, and forget all devices; the link as it was used by this call.
        None: it was answered before, or is not valid (`find` says which)."""
        found = await self._open(token, now)
        if found is None:
            return None
        link, account = found
        done = await self.store.commit(
            # fails if the account was disabled or changed in this moment
            self.store.accounts.replace(account, old=account),
            self.store.owner_notices.answer(link, "not_me", now),
            self.store.owner_notices.end_links(account.id, now),
            self.audit_log.write(
                "notice.not_me", caller=caller, now=now, account_id=account.id, notice=link.kind
            ),
            *await self.revoker.account(account.id, now=now, reason=_REASON, sub_entry=False),
        )
        if not done:
            return None
        await self.revoker.late(account.id, now=now, reason=_REASON)
        return link

    async def was_me(self, token: str, *, caller: Caller, now: int) -> NoticeLink | None:
        """Answer that there is nothing to do: the link stops working, and the owner's activity says so, since somebody else could have
        answered. None as for `not_me`."""
        found = await self._open(token, now)
        if found is None:
            return None
        link, account = found
        done = await self.store.commit(
            self.store.owner_notices.answer(link, "was_me", now),
            self.audit_log.write(
                "notice.was_me", caller=caller, now=now, account_id=account.id, notice=link.kind
            ),
        )
        return link if done else None

    async def ways(self, account: Account, locale: str) -> tuple[str, ...]:
        """What the person signs in with, the password aside, in the language `locale`."""
        return self.factors.named_ways(account, await self.store.accounts.factors(account.id), locale)

    async def _open(self, token: str, now: int) -> tuple[NoticeLink, Account] | None:
        link = await self.store.owner_notices.link(digest(token[:200]))
        account = None if link is None else await self.store.accounts.get(link.account_id)
        if link is None or account is None or not usable(link, account, now):
            return None
        return link, account
