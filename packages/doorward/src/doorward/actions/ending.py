"""Ending a grant, a session, a person or an app: everything that must end with it, as writes for the caller's own commit.

Each caller appends its audit event and commits all in one transaction, so that nothing ends by halves (line 72).
"""

from __future__ import annotations

from dataclasses import dataclass

from doorward.model.grant import Grant
from doorward.model.message import LogoutNotice
from doorward.model.policy import TokenPolicy
from doorward.model.session import Session
from doorward.ports.catalog import CatalogSource
from doorward.ports.chance import Chance
from doorward.ports.store import Store, Write
from doorward.rules.revoke import ending as rule


@dataclass(frozen=True, slots=True)
class Ending:
    """Builds the writes; only `late` commits. `reason` is kept with the row (signed_out, password_changed, replayed, …)."""

    store: Store
    chance: Chance
    catalog: CatalogSource
    policy: TokenPolicy

    def grant(self, grant: Grant, *, now: int, reason: str) -> list[Write]:
        """One app's grant: its refresh tokens are dead with it, its access tokens enter the revocation view (RFC 7009 §2.1)."""
        return self._grant(grant.id, now, reason, self._life())

    async def session(self, session: Session, *, now: int, reason: str) -> list[Write]:
        """A browser session: the grants born in it that are not offline, its `sid`, and a notice to each app that asked for one
        (OpenID Connect Back-Channel Logout 1.0 §2.3)."""
        life = self._life()
        writes = await self._session(session, now, reason, life)
        for grant in await self.store.grants.live_of_session(session.id, now):
            if not grant.offline:
                writes += self._grant(grant.id, now, reason, life)
        return writes

    async def account(
        self, account_id: str, *, now: int, reason: str, keep_session: str | None = None, sub_entry: bool
    ) -> list[Write]:
        """All sessions of a person but `keep_session`, and all their grants, offline ones too (ASVS 7.4.2, 7.4.3).

        `sub_entry` (disabled, deleted) also revokes whatever carries their `sub` and was issued up to now.
        """
        life = self._life()
        writes: list[Write] = []
        for session in await self.store.sessions.live_of(account_id, now):
            if session.id != keep_session:
                writes += await self._session(session, now, reason, life)
        # The grants enter the view one by one even beside a `sub` entry: a token signed in another process in this very
        # moment may carry a later `iat` than the entry's bound.
        for grant in await self.store.grants.live_of_account(account_id, now):
            writes += self._grant(grant.id, now, reason, life)
        if sub_entry:
            writes.append(self.store.revocations.insert(rule.of_account(account_id, now=now, life=life)))
        return writes

    async def late(self, account_id: str, *, now: int, reason: str, keep_session: str | None = None) -> None:
        """What came into being between `account`'s look and the commit of its writes. Called right after that commit, which
        must have changed the account's row: `Finish` is guarded by it, so that nothing more can come of the old one.

        Without this a session opened with the stolen password in those milliseconds outlives the change of the password.
        """
        writes = await self.account(
            account_id, now=now, reason=reason, keep_session=keep_session, sub_entry=False
        )
        if writes:
            await self.store.commit(*writes)

    def client(self, client_id: str, *, now: int, reason: str) -> list[Write]:
        """An app that goes: its grants, and one entry for every access token that carries its `client_id`. Of very many grants the
        sweep ends the rest: none of them is of use to anybody without the app."""
        return [
            self.store.grants.end_of_client(client_id, now, reason),
            self.store.revocations.insert(rule.of_client(client_id, now=now, life=self._life())),
        ]

    def _grant(self, grant_id: str, now: int, reason: str, life: int) -> list[Write]:
        return [
            self.store.grants.end(grant_id, now, reason),
            self.store.revocations.insert(rule.of_grant(grant_id, now=now, life=life)),
        ]

    async def _session(self, session: Session, now: int, reason: str, life: int) -> list[Write]:
        return [
            self.store.sessions.end(session.id, now, reason),
            self.store.revocations.insert(rule.of_session(session.id, now=now, life=life)),
            *await self._notices(session, now),
        ]

    async def _notices(self, session: Session, now: int) -> list[Write]:
        clients = self.catalog.current().clients
        return [
            self.store.messages.insert_logout(
                LogoutNotice(
                    id=self.chance.new_id("lgo"),
                    client_id=client_id,
                    account_id=session.account_id,
                    session_id=session.id,
                    created_at=now,
                    next_try_at=now,
                )
            )
            for client_id in await self.store.sessions.clients_in(session.id)
            if (client := clients.get(client_id)) is not None and client.backchannel_logout_uri
        ]

    def _life(self) -> int:
        return rule.longest_living(self.policy, self.catalog.current())
