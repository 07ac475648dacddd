"""Live sessions: lookup by cookie, and the time last seen."""

from __future__ import annotations

from typing import final

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.digest import digest
from doorward.core.model.policy import SessionPolicy
from doorward.core.model.session import Session
from doorward.features.sessions.rules import session as session_rule
from doorward.storage.sql.store import Store


@final
class Sessions(Struct, frozen=True, kw_only=True):
    """Reads sessions; `Revoker` ends them."""

    store: Store
    policy: SessionPolicy

    async def live(self, secret: str, now: int) -> tuple[Session, Account] | None:
        """The session of this cookie and its account, if valid. It is touched once a minute."""
        session = await self.store.sessions.by_secret(digest(secret))
        if session is None:
            return None
        account = await self.store.accounts.get(session.account_id)
        if account is None or session_rule.over(session, account, self.policy, now) is not None:
            return None
        if now - session.seen_at >= session_rule.TOUCH_EVERY:
            await self.store.commit(self.store.sessions.touch(session.id, now))
        return session, account

    async def again(self, session: Session) -> Session | None:
        """The same session as stored now; None when it has ended."""
        found = await self.store.sessions.get(session.id)
        return None if found is None or found.ended_at is not None else found

    def recent(self, session: Session, account: Account, now: int) -> bool:
        """Whether the person proved themselves recently enough for a sensitive edit (ASVS 7.5.1, R73)."""
        return session_rule.recent(session, account, self.policy, now)
