"""Ending a grant, a session, a person or an app: everything that must end with it, as writes for the caller's own commit.

Each caller appends its audit event and commits all in one transaction, so that nothing ends by halves (line 72).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from doorward.core.model.grant import Grant
from doorward.core.model.message import LogoutNotice
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.session import EndReason, Session
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.core.ports.random import Chance
from doorward.features.sessions.rules import bounds
from doorward.features.sessions.rules import ending as rule
from doorward.storage.sql.store import Store, Write

MANY: Final = 40
"""Grants that end one by one. Whoever has a session can have a new grant with each request, and end all of them with one: thousands
of statements in a commit would hold the counter of revocations, and with it everybody else's sign-out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Builds the writes; only `late` and `late_in` commit. `reason` is kept with the row (signed_out, password_changed, replayed, …)."""

    store: Store
    chance: Chance
    catalog: CatalogSource
    policy: TokenPolicy

    def grant(self, grant: Grant, *, now: int, reason: EndReason, first: bool = False) -> list[Write]:
        """One app's grant: its refresh tokens are dead with it, its access tokens enter the revocation view (RFC 7009 §2.1).

        `first`: guarded, the commit loses when the grant has ended. Whoever sends one request a thousand times at once makes one
        entry with it, not a thousand.
        """
        return self._grant(grant.id, now, reason, first=first)

    def tokens_of_grant(self, grant_id: str, *, now: int) -> Write:
        """The access tokens of a grant that has no row."""
        return self.store.revocations.insert(rule.of_grant(grant_id, now=now, life=self._life()))

    def own_tokens(self, client_id: str, *, iat: int, now: int) -> Write:
        """All tokens that an app has now, by one entry; the token issued at `iat` is among them. Guarded: loses when one that is
        there covers it."""
        entry = bounds.of_all_until_now(client_id, iat=iat, now=now, life=self._life())
        return self.store.revocations.insert_later(entry, now=now)

    async def session(
        self, session: Session, *, now: int, reason: EndReason, first: bool = False
    ) -> list[Write]:
        """A browser session: the grants born in it that are not offline, its `sid`, and a notice to each app that asked for one
        (OpenID Connect Back-Channel Logout 1.0 §2.3). `first` as for a grant."""
        end = self.store.sessions.end_first if first else self.store.sessions.end
        told = [(session.id, client_id) for client_id in await self.store.sessions.clients_in(session.id)]
        return [
            end(session.id, now, reason),
            self.store.revocations.insert(rule.of_session(session.id, now=now, life=self._life())),
            *self._notices(session.account_id, told, now),
            *await self.grants_of(session, now=now, reason=reason),
        ]

    async def grants_of(self, session: Session, *, now: int, reason: EndReason) -> list[Write]:
        """The grants born in a session that are not offline."""
        found = await self.store.grants.live_of_session(session.id, now, limit=MANY + 1)
        if len(found) > MANY:
            end = self.store.grants.end_of_account
            return [end(session.account_id, now, reason, self._until(now), session_id=session.id)]
        return self._each([grant for grant in found if not grant.offline], now, reason)

    async def app_of(self, account_id: str, client_id: str, *, now: int, reason: EndReason) -> list[Write]:
        """The grants that a person gave to one app, offline ones too."""
        found = await self.store.grants.live_of_account(account_id, now, limit=MANY + 1)
        if len(found) > MANY:
            end = self.store.grants.end_of_account
            return [end(account_id, now, reason, self._until(now), client_id=client_id)]
        return self._each([grant for grant in found if grant.client_id == client_id], now, reason)

    def outstanding(self, account_id: str, *, now: int) -> list[Write]:
        """What was made for a person and not used yet: mailed codes and links, and the sign-ins under way in which something was
        shown (line 94). Who asked for a mail sees nothing of it: the ticket is from now on one that nothing opens (line 80)."""
        return [
            self.store.messages.detach_tickets(account_id),
            self.store.sign_ins.end_of_account(account_id, now),
        ]

    async def account(
        self,
        account_id: str,
        *,
        now: int,
        reason: EndReason,
        keep_session: str | None = None,
        sub_entry: bool,
    ) -> list[Write]:
        """All sessions of a person but `keep_session`, and all their grants, offline ones too (ASVS 7.4.2, 7.4.3).

        `sub_entry` (disabled, deleted) also revokes whatever carries their `sub` and was issued up to now. What is outstanding ends too.
        """
        ended = await self._account(account_id, now, reason, keep_session, sub_entry=sub_entry)
        return [*self.outstanding(account_id, now=now), *ended]

    async def _account(
        self, account_id: str, now: int, reason: EndReason, keep_session: str | None, *, sub_entry: bool
    ) -> list[Write]:
        writes = await self._sessions(account_id, now, reason, keep_session)
        # The grants enter the view one by one even beside a `sub` entry: a token signed in another process in this very
        # moment may carry a later `iat` than the entry's bound.
        found = await self.store.grants.live_of_account(account_id, now, limit=MANY + 1)
        if len(found) > MANY:
            writes.append(self.store.grants.end_of_account(account_id, now, reason, self._until(now)))
        else:
            writes += self._each(found, now, reason)
        if sub_entry:
            entry = rule.of_account(account_id, now=now, life=self._life())
            writes.append(self.store.revocations.insert(entry))
        return writes

    async def others(self, current: Session, *, now: int, reason: EndReason) -> list[Write]:
        """All sessions of a person but this one, with the grants born in them that are not offline: a handful of writes, however
        many they are. What is outstanding ends too: who stands in the middle of a sign-in would be in a session a moment later."""
        writes = await self._sessions(current.account_id, now, reason, current.id)
        if writes:
            writes.append(self._grants_but(current, now, reason))
        return [*self.outstanding(current.account_id, now=now), *writes]

    async def late_beside(self, current: Session, *, now: int, reason: EndReason) -> None:
        """What `late_in` does for one session, for all those that `others` ended."""
        await self.store.commit(self._grants_but(current, now, reason))

    async def late(
        self, account_id: str, *, now: int, reason: EndReason, keep_session: str | None = None
    ) -> None:
        """What came into being between `account`'s look and the commit of its writes. Called right after that commit, which
        must have changed the account's row: `Finish` is guarded by it, so that nothing more can come of the old one.

        Without this a session opened with the stolen password in those milliseconds outlives the change of the password.
        """
        writes = await self._account(account_id, now, reason, keep_session, sub_entry=False)
        if writes:
            await self.store.commit(*writes)

    async def late_in(self, session: Session, *, now: int, reason: EndReason) -> None:
        """The same for a session: grants that were being born in it while it was ended. Called right after the commit of
        `session`'s writes. From then on the guard of `Finish` lets no other one come."""
        writes = await self.grants_of(session, now=now, reason=reason)
        if writes:
            await self.store.commit(*writes)

    def client(self, client_id: str, *, now: int, reason: EndReason) -> list[Write]:
        """An app that goes: its grants, and one entry for every access token that carries its `client_id`. Of very many grants the
        sweep ends the rest: none of them is of use to anybody without the app."""
        return [
            self.store.grants.end_of_client(client_id, now, reason),
            self.store.revocations.insert(rule.of_client(client_id, now=now, life=self._life())),
        ]

    def _each(self, grants: Sequence[Grant], now: int, reason: EndReason) -> list[Write]:
        return [write for grant in grants for write in self._grant(grant.id, now, reason)]

    def _grant(self, grant_id: str, now: int, reason: EndReason, *, first: bool = False) -> list[Write]:
        end = self.store.grants.end_first if first else self.store.grants.end
        return [
            end(grant_id, now, reason),
            self.store.revocations.insert(rule.of_grant(grant_id, now=now, life=self._life())),
        ]

    def _grants_but(self, current: Session, now: int, reason: EndReason) -> Write:
        end = self.store.grants.end_of_account
        return end(current.account_id, now, reason, self._until(now), but=current.id)

    async def _sessions(self, account_id: str, now: int, reason: EndReason, keep: str | None) -> list[Write]:
        # of two one is another than the one that is kept
        found = await self.store.sessions.live_of(account_id, now, limit=2)
        if all(session.id == keep for session in found):
            return []
        told = await self.store.sessions.clients_in_all(account_id, now)
        return [
            self.store.sessions.end_of_account(account_id, now, reason, self._until(now), keep=keep),
            *self._notices(account_id, [pair for pair in told if pair[0] != keep], now),
        ]

    def _notices(self, account_id: str, told: Sequence[tuple[str, str]], now: int) -> list[Write]:
        clients = self.catalog.current().clients
        return [
            self.store.messages.insert_logout(
                LogoutNotice(
                    id=self.chance.new_id("lgo"),
                    client_id=client_id,
                    account_id=account_id,
                    session_id=session_id,
                    created_at=now,
                    next_try_at=now,
                )
            )
            for session_id, client_id in told
            if (client := clients.get(client_id)) is not None and client.backchannel_logout_uri
        ]

    def _until(self, now: int) -> int:
        """When an entry may go that is made now for what was given out before."""
        return now + self._life() + rule.MARGIN

    def _life(self) -> int:
        return rule.longest_living(self.policy, self.catalog.current())
