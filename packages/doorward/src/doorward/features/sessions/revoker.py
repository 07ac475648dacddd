"""End of a grant, a session, a person or an app: everything that must end with it, as writes for the caller's own commit.

The caller adds its audit event and commits all in one transaction, so that nothing ends partially (R72).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from doorward.core.model.account import Account
from doorward.core.model.api_key import ApiKey
from doorward.core.model.grant import Grant
from doorward.core.model.message import LogoutNotice
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.session import EndReason, Session
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.random import SecureRandom
from doorward.features.sessions.rules import bounds
from doorward.features.sessions.rules import revocation as rule
from doorward.storage.sql.store import Store, Write

MANY: Final = 40
"""Maximum number of grants that end one by one. A session can get a new grant with each request, and end all with one: thousands of
statements in one commit would block the counter of revocations, and with it the sign-out of others."""

_ONE_BY_ONE: Final = 20
"""Sessions that are ended one by one; more are ended together with all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoker:
    """Builds the writes; only `late`, `late_in` and `late_beside` commit. `reason` is stored in the row (signed_out, password_changed,
    replayed, …)."""

    store: Store
    random: SecureRandom
    config: ConfigSource
    policy: TokenPolicy

    def grant(self, grant: Grant, *, now: int, reason: EndReason, first: bool = False) -> list[Write]:
        """End one app's grant: its refresh tokens end with it, its access tokens enter the revocation view (RFC 7009 §2.1).

        `first`: the writes are guarded, so that the commit fails if the grant has ended. A request sent a thousand times at once
        makes one entry, not a thousand.
        """
        end = self.store.grants.end_first if first else self.store.grants.end
        return [end(grant.id, now, reason), self.tokens_of_grant(grant.id, now=now)]

    def tokens_of_grant(self, grant_id: str, *, now: int) -> Write:
        """Revoke the access tokens of a grant, which need not have a row, and those that were exchanged for them."""
        entry = self.store.revocations.insert(rule.of_all("grant", grant_id, now=now, life=self._life()))
        return self._joined(entry, *self._exchanged(grant_id, now))

    def api_key(self, key: ApiKey, *, now: int, reason: EndReason) -> list[Write]:
        """End an API key: its secrets, and every token made from it. Guarded: the commit fails if it has ended, or its tokens got another
        prefix."""
        return [self.store.api_keys.end(key, now, reason), self.tokens_of_grant(key.token_prefix, now=now)]

    def lost_roles(self, old: Account, new: Account, *, now: int) -> list[Write]:
        """End the tokens made from API keys of a person who loses a role: the next ones are cut to what is left. So do all that were
        exchanged; the tokens of their apps keep the role until they expire."""
        if set(old.role_names) <= set(new.role_names):
            return []
        cut = self.store.api_keys.cut_of_account(old.id, now, self._until(now))
        return [cut, *self._exchanged(old.id, now)]

    def cut_at_api(self, audience: str, *, now: int) -> Write:
        """End the tokens made from all API keys for one API, since some of them allow less from now on; and those that were exchanged for
        them, which rest on what the tokens began with."""
        until = self._until(now)
        cut = self.store.api_keys.cut_at_api(audience, now, until)
        if not self._exchanging():
            return cut
        since = now - (until - now)
        return self._joined(self.store.exchanges.end_with_keys(audience, now, until=until, since=since), cut)

    def own_tokens(self, client_id: str, *, iat: int, now: int) -> Write:
        """Revoke all tokens that an app got for itself so far, by one entry; the token issued at `iat` is among them. Guarded: the
        commit fails if an existing entry covers it."""
        entry = bounds.of_all_until_now(client_id, iat=iat, now=now, life=self._life())
        write = self.store.revocations.insert_later(entry, now=now)
        return self._joined(write, *self._exchanged(client_id, now))

    async def session(
        self, session: Session, *, now: int, reason: EndReason, first: bool = False, offline: bool = False
    ) -> list[Write]:
        """End a browser session: its grants, its `sid`, and a notification to each app that registered for it (OpenID Connect
        Back-Channel Logout 1.0 §2.3). Its offline grants end only with `offline`. `first` as for a grant."""
        end = self.store.sessions.end_first if first else self.store.sessions.end
        told = [(session.id, client_id) for client_id in await self.store.sessions.clients_in(session.id)]
        return [
            end(session.id, now, reason),
            self.store.revocations.insert(rule.of_all("sid", session.id, now=now, life=self._life())),
            *self._notices(session.account_id, told, now),
            *await self.grants_of(session, now=now, reason=reason, offline=offline),
        ]

    async def grants_of(
        self, session: Session, *, now: int, reason: EndReason, offline: bool = False
    ) -> list[Write]:
        """End the grants of a session that are not offline; all of them with `offline`."""
        return await self._grants_of(session.id, now=now, reason=reason, offline=offline)

    async def left_of(self, session_id: str, *, now: int, reason: EndReason) -> list[Write]:
        """End the offline grants of a session that has ended, or whose row is gone."""
        return await self._grants_of(session_id, now=now, reason=reason, offline=True)

    async def _grants_of(self, session_id: str, *, now: int, reason: EndReason, offline: bool) -> list[Write]:
        found = await self.store.grants.live_of_session(session_id, now, limit=MANY + 1)
        if len(found) > MANY:
            end = self.store.grants.end_of_account
            only = {"whole_session" if offline else "session_id": session_id}
            account_id = found[0].account_id
            return [
                end(account_id, now, reason, self._until(now), **only),
                *self._exchanged(account_id, now),
            ]
        return self._each([grant for grant in found if offline or not grant.offline], now, reason)

    async def app_of(self, account_id: str, client_id: str, *, now: int, reason: EndReason) -> list[Write]:
        """End the grants that a person gave to one app, offline ones too."""
        found = await self.store.grants.live_of_account(account_id, now, limit=MANY + 1)
        if len(found) > MANY:
            end = self.store.grants.end_of_account
            return [
                end(account_id, now, reason, self._until(now), client_id=client_id),
                *self._exchanged(account_id, now),
            ]
        return self._each([grant for grant in found if grant.client_id == client_id], now, reason)

    def outstanding(self, account_id: str, *, now: int, keep_device: str | None = None) -> list[Write]:
        """End unused codes and links of a person, sign-ins in progress with a proof, and devices on which the second step is not asked
        for, except `keep_device` (R94). The requester of a mail sees no difference: the ticket stays, but no code or link opens it
        (R80)."""
        return [
            self.store.messages.detach_tickets(account_id),
            self.store.sent_codes.end_of_account(account_id),
            self.store.sign_ins.end_of_account(account_id, now),
            self.store.remembered_devices.end_of_account(account_id, but=keep_device),
        ]

    async def account(
        self,
        account_id: str,
        *,
        now: int,
        reason: EndReason,
        keep_session: str | None = None,
        keep_device: str | None = None,
        sub_entry: bool,
    ) -> list[Write]:
        """End all sessions of a person except `keep_session`, all their grants, offline ones too, and their API keys (ASVS 7.4.2, 7.4.3).

        `sub_entry` (disabled, deleted) also revokes every token with their `sub` that was issued so far. Mailed codes, sign-ins in
        progress and remembered devices except `keep_device` end too.
        """
        ended = await self._account(account_id, now, reason, keep_session, sub_entry=sub_entry)
        return [*self.outstanding(account_id, now=now, keep_device=keep_device), *ended]

    async def _account(
        self, account_id: str, now: int, reason: EndReason, keep_session: str | None, *, sub_entry: bool
    ) -> list[Write]:
        writes = await self._sessions(account_id, now, reason, keep_session)
        # The grants enter the view individually even with a `sub` entry: a token signed concurrently in another process may have a
        # later `iat` than the entry's bound.
        found = await self.store.grants.live_of_account(account_id, now, limit=MANY + 1)
        if len(found) > MANY:
            writes.append(self.store.grants.end_of_account(account_id, now, reason, self._until(now)))
        else:
            writes += self._each(found, now, reason)
        # also those that a thief made while the account was open to them
        if await self.store.api_keys.any_of_account(account_id, now):
            writes.append(self.store.api_keys.end_of_account(account_id, now, reason, self._until(now)))
        if sub_entry:
            entry = rule.of_all("sub", account_id, now=now, life=self._life())
            writes.append(self.store.revocations.insert(entry))
        # once for all that ends above together, and for the tokens in which this person is an actor
        return [*writes, *(self._exchanged(account_id, now) if writes else ())]

    async def others(
        self, current: Session, *, now: int, reason: EndReason, keep_device: str | None = None
    ) -> list[Write]:
        """End all other sessions of a person, with their grants that are not offline: a few writes, whatever their number. Mailed codes,
        sign-ins in progress and remembered devices end too, since a sign-in would otherwise create a session a moment later."""
        writes = await self._sessions(current.account_id, now, reason, current.id)
        if writes:
            writes += [self._grants_but(current, now, reason), *self._exchanged(current.account_id, now)]
        return [*self.outstanding(current.account_id, now=now, keep_device=keep_device), *writes]

    async def others_by(
        self, current: Session, kinds: Collection[str], *, now: int, reason: EndReason
    ) -> list[Write]:
        """End the other sessions of a person that rest on a proof of one of these kinds; all others, if they are many. Mailed codes and
        sign-ins in progress end too."""
        live = await self.store.sessions.live_of(current.account_id, now)
        held = [
            one for one in live if one.id != current.id and any(proof.kind in kinds for proof in one.proofs)
        ]
        if len(held) > _ONE_BY_ONE:
            return await self.others(current, now=now, reason=reason)
        writes = self.outstanding(current.account_id, now=now)
        for one in held:
            writes += await self.session(one, now=now, reason=reason)
        return writes

    async def late_beside(self, current: Session, *, now: int, reason: EndReason) -> None:
        """Like `late_in`, for all sessions that `others` ended."""
        await self.store.commit(
            self._grants_but(current, now, reason), *self._exchanged(current.account_id, now)
        )

    async def late(
        self, account_id: str, *, now: int, reason: EndReason, keep_session: str | None = None
    ) -> None:
        """End what was created between the read in `account` and the commit of its writes. Call it right after that commit, which must
        have changed the account's row: `SignInCompletion` is guarded by that row, so that no session can be created from the old one later.

        Otherwise a session opened with the stolen password in those milliseconds would outlive the change of the password.
        """
        writes = await self._account(account_id, now, reason, keep_session, sub_entry=False)
        if writes:
            await self.store.commit(*writes)

    async def late_in(self, session: Session, *, now: int, reason: EndReason, offline: bool = False) -> None:
        """The same for a session: end grants that were created in it while it was ended. Call it right after the commit of `session`'s
        writes; after that, the guard of `SignInCompletion` prevents new ones."""
        writes = await self.grants_of(session, now=now, reason=reason, offline=offline)
        if writes:
            await self.store.commit(*writes)

    def client(self, client_id: str, *, now: int, reason: EndReason) -> list[Write]:
        """End a deleted app: its grants, its API keys, and all its access tokens by one entry for its `client_id`. If there are very many
        grants, the periodic cleanup ends the rest; without the app they are useless."""
        return [
            self.store.grants.end_of_client(client_id, now, reason),
            self.store.api_keys.end_of_client(client_id, now, reason, self._until(now)),
            self.store.revocations.insert(rule.of_client(client_id, now=now, life=self._life())),
            *self._exchanged(client_id, now),
        ]

    def _exchanged(self, ref: str, now: int) -> list[Write]:
        """End the token exchanges that rest on a grant, an API key, a trusted issuer, a person or an app; their tokens enter the view. Where
        many grants end together, all that rests on the person ends: the next exchange makes it anew.

        Without an app that may exchange tokens there are none, and a sign-out stays one round trip.
        """
        if not self._exchanging():
            return []
        life = self._until(now) - now
        return [self.store.exchanges.end_with(ref, now, until=now + life, since=now - life)]

    def _exchanging(self) -> bool:
        return any(client.exchange is not None for client in self.config.current().clients.values())

    def _joined(self, first: Write, *others: Write) -> Write:
        return Write(tuple(step for one in (first, *others) for step in one.steps))

    def _each(self, grants: Sequence[Grant], now: int, reason: EndReason) -> list[Write]:
        return [write for grant in grants for write in self.grant(grant, now=now, reason=reason)]

    def _grants_but(self, current: Session, now: int, reason: EndReason) -> Write:
        end = self.store.grants.end_of_account
        return end(current.account_id, now, reason, self._until(now), but=current.id)

    async def _sessions(self, account_id: str, now: int, reason: EndReason, keep: str | None) -> list[Write]:
        # two rows suffice to find one other than the kept session
        found = await self.store.sessions.live_of(account_id, now, limit=2)
        if all(session.id == keep for session in found):
            return []
        told = await self.store.sessions.clients_in_all(account_id, now)
        return [
            self.store.sessions.end_of_account(account_id, now, reason, self._until(now), keep=keep),
            *self._notices(account_id, [pair for pair in told if pair[0] != keep], now),
        ]

    def _notices(self, account_id: str, told: Sequence[tuple[str, str]], now: int) -> list[Write]:
        clients = self.config.current().clients
        return [
            self.store.messages.insert_logout(
                LogoutNotice(
                    id=self.random.new_id("lgo"),
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
        """The expiry of an entry made now for tokens issued before."""
        return now + self._life() + rule.MARGIN

    def _life(self) -> int:
        return rule.longest_living(self.policy, self.config.current())
