"""End of a session, a device or a person: everything that must end with it, as writes for the caller's own commit.

What ends is in the table `rules/endings.py`. The caller adds its audit event and commits all in one transaction, so that nothing ends partially
(R72).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from msgspec import structs

from doorward.core.model.device import describe
from doorward.core.model.message import ALL_SESSIONS, LogoutNotice
from doorward.core.model.session import EndReason, Session
from doorward.features.sessions.grant_revoker import GrantRevoker
from doorward.features.sessions.rules import endings
from doorward.features.sessions.rules import revocation as rule
from doorward.features.sessions.rules.endings import AccessEnd, Kind
from doorward.storage.sql.sessions import MOST_NAMED
from doorward.storage.sql.store import Write

MANY: Final = 40
"""Maximum number of grants that end one by one. A session can get a new grant with each request, and end all with one: thousands of
statements in one commit would block the counter of revocations, and with it the sign-out of others."""

_BY_ACCOUNT: Final = frozenset[Kind](["mailed_code", "sent_code", "sign_in"])
"""What ends for the whole account with one device: which browser a code was asked for in is not stored by device."""

_ONE_BY_ONE: Final = 20
"""Sessions that are ended one by one; more are ended together with all others."""


class Revoker(GrantRevoker, frozen=True, kw_only=True):
    """Builds the writes; only `late`, `late_in`, `late_beside` and `late_client` commit. `reason` is stored in the row (signed_out, password_changed,
    replayed, …)."""

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
                end(account_id, now, reason, self._until(now), exchanging=self._exchanging(), **only),
                *self.resting(account_id, now),
            ]
        return self._each([grant for grant in found if offline or not grant.offline], now, reason)

    async def app_of(self, account_id: str, client_id: str, *, now: int, reason: EndReason) -> list[Write]:
        """End the grants that a person gave to one app, offline ones too."""
        found = await self.store.grants.live_of_account(account_id, now, limit=MANY + 1)
        if len(found) > MANY:
            end = self.store.grants.end_of_account
            return [
                end(
                    account_id,
                    now,
                    reason,
                    self._until(now),
                    exchanging=self._exchanging(),
                    client_id=client_id,
                ),
                *self.resting(account_id, now),
            ]
        return self._each([grant for grant in found if grant.client_id == client_id], now, reason)

    def outstanding(
        self,
        account_id: str,
        *,
        now: int,
        keep_device: str | None = None,
        reason: EndReason | None = None,
    ) -> list[Write]:
        """End unused codes and links of a person, sign-ins in progress with a proof, and devices on which the second step is not asked
        for, except `keep_device` (R94). The requester of a mail sees no difference: the ticket stays, but no code or link opens it
        (R80)."""
        return self._of_person(endings.of("proofs", reason), account_id, now, keep_device=keep_device)

    async def account(
        self,
        account_id: str,
        *,
        now: int,
        reason: EndReason,
        keep_session: str | None = None,
        keep_device: str | None = None,
        keep_known: bytes | None = None,
        sub_entry: bool,
    ) -> list[Write]:
        """End everything of a person, as the row of `reason` in the table of endings says (ASVS 7.4.2, 7.4.3): all sessions except
        `keep_session`, all grants, offline ones too, API keys, codes, sign-ins in progress, remembered devices except `keep_device`, and known
        ones except `keep_known`.

        `sub_entry` (disabled, deleted) also revokes every token with their `sub` that was issued so far. The account's row changes, so that a
        sign-in that ends at the same time loses its guard; in the commit these writes follow the caller's own guard of that row. All statements
        say what they end by the account, so that they end also what was created since the caller read.
        """
        row, store = endings.of("person", reason), self.store
        until, told = self._until(now), await store.sessions.clients_in_all(account_id, now)
        writes = self._of_person(row, account_id, now, keep_device=keep_device, keep_known=keep_known)
        if "password" not in row.itself:
            # the other actions change the account's row themselves
            writes.insert(0, store.accounts.touch(account_id, now))
        if "session" in row.ends:
            writes += [
                store.sessions.end_of_account(account_id, now, reason, until, keep=keep_session),
                *self._notices(account_id, await self._to_tell(told, keep_session), now),
            ]
        if row.ends >= {"grant", "offline_grant"}:
            writes.append(
                store.grants.end_of_account(account_id, now, reason, until, exchanging=self._exchanging())
            )
        # also those that a thief made while the account was open to them
        if "api_key" in row.ends:
            writes.append(store.api_keys.end_of_account(account_id, now, reason, until))
        if sub_entry:
            entry = rule.of_all("sub", account_id, now=now, life=self._life())
            writes.append(store.revocations.insert(entry))
        # once for all that ends above together, and for the tokens in which this person is an actor
        return [*writes, *self.resting(account_id, now)]

    async def everything(
        self,
        account_id: str,
        *,
        now: int,
        reason: EndReason,
        also: Sequence[Write] = (),
        keep_session: str | None = None,
        keep_device: str | None = None,
        keep_known: bytes | None = None,
    ) -> int:
        """End everything of a person, and commit `also` with it in one transaction; what was created in that moment ends too. Returns how many
        sessions ended. The parameters are those of `account`; the account stays and its owner may sign in again."""
        live = await self.store.sessions.live_of(account_id, now)
        writes = await self.account(
            account_id,
            now=now,
            reason=reason,
            keep_session=keep_session,
            keep_device=keep_device,
            keep_known=keep_known,
            sub_entry=False,
        )
        await self.store.commit(*writes, *also)
        await self.late(account_id, now=now, reason=reason, keep_session=keep_session)
        return sum(session.id != keep_session for session in live)

    def _of_person(
        self,
        row: AccessEnd,
        account_id: str,
        now: int,
        *,
        keep_device: str | None = None,
        keep_known: bytes | None = None,
    ) -> list[Write]:
        """The kinds that end by one statement for the whole account."""
        store = self.store
        writes: dict[Kind, Write] = {
            "mailed_code": store.messages.detach_tickets(account_id),
            "sent_code": store.sent_codes.end_of_account(account_id),
            "sign_in": store.sign_ins.end_of_account(account_id, now),
            "remembered_device": store.remembered_devices.end_of_account(account_id, but=keep_device),
            "known_device": store.sessions.forget_devices(account_id, but=keep_known),
            "consent": store.sessions.remove_consents(account_id),
        }
        return [write for kind, write in writes.items() if kind in row.ends]

    async def others(
        self, current: Session, *, now: int, reason: EndReason, keep_device: str | None = None
    ) -> list[Write]:
        """End all other sessions of a person, with their grants that are not offline: a few writes, whatever their number. Mailed codes,
        sign-ins in progress and remembered devices end too, since a sign-in would otherwise create a session a moment later."""
        writes = await self._sessions(current.account_id, now, reason, current.id)
        if writes:
            writes += [self._grants_but(current, now, reason), *self.resting(current.account_id, now)]
        row = endings.of("others", reason)
        return [*self._of_person(row, current.account_id, now, keep_device=keep_device), *writes]

    async def device(self, session: Session, *, now: int, reason: EndReason) -> list[Write]:
        """End the device of a session: all sessions in that browser, their grants, offline ones too, and that the account knows it. Mailed codes
        and sign-ins in progress of the person end too, and the trust in devices of the same kind (browser and system), since which of them
        is this one is not stored."""
        account_id, here = session.account_id, describe(session.user_agent)
        row = endings.of("device", reason)
        live = [session]
        if session.device_hash is not None:
            found = await self.store.sessions.live_of(account_id, now)
            live += [o for o in found if o.device_hash == session.device_hash and o.id != session.id]
        writes = self._of_person(structs.replace(row, ends=row.ends & _BY_ACCOUNT), account_id, now)
        for one in await self.store.remembered_devices.of_account(account_id):
            if describe(one.user_agent) == here:
                writes.append(self.store.remembered_devices.drop(account_id, one.id))
        if session.device_hash is not None:
            writes.append(self.store.sessions.forget_device(account_id, session.device_hash))
        for one in live:
            writes += await self.session(one, now=now, reason=reason, offline="offline_grant" in row.ends)
        return writes

    async def others_by(
        self, current: Session, kinds: Collection[str], *, now: int, reason: EndReason
    ) -> list[Write]:
        """End the other sessions of a person that rest on a proof of one of these kinds; all others, if they are many. Mailed codes and
        sign-ins in progress end too. Guarded: the commit, which must lock the account's row first, fails if a session was created or
        renewed meanwhile."""
        live = await self.store.sessions.live_of(current.account_id, now, limit=MOST_NAMED + 1)
        held = [
            one for one in live if one.id != current.id and any(proof.kind in kinds for proof in one.proofs)
        ]
        if len(held) > _ONE_BY_ONE or len(live) > MOST_NAMED:
            return await self.others(current, now=now, reason=reason)
        writes = self._of_person(endings.of("others_by", reason), current.account_id, now)
        writes.append(self.store.sessions.only_these(current.account_id, live, now))
        for one in held:
            writes += await self.session(one, now=now, reason=reason)
        return writes

    async def late_beside(self, current: Session, *, now: int, reason: EndReason) -> None:
        """Like `late_in`, for all sessions that `others` ended."""
        await self.store.commit(
            self._grants_but(current, now, reason), *self.resting(current.account_id, now)
        )

    async def late(
        self, account_id: str, *, now: int, reason: EndReason, keep_session: str | None = None
    ) -> None:
        """End what was created between the read in `account` and the commit of its writes. Call it right after that commit, which must
        have changed the account's row: `SignInCompletion` is guarded by that row, so that no session can be created from the old one later.

        Otherwise a session opened with the stolen password in those milliseconds would outlive the change of the password.
        """
        writes = await self._sessions(account_id, now, reason, keep_session)
        found = await self.store.grants.live_of_account(account_id, now, limit=MANY + 1)
        if len(found) > MANY:
            end, until = self.store.grants.end_of_account, self._until(now)
            writes.append(end(account_id, now, reason, until, exchanging=self._exchanging()))
        else:
            writes += self._each(found, now, reason)
        if await self.store.api_keys.any_of_account(account_id, now):
            writes.append(self.store.api_keys.end_of_account(account_id, now, reason, self._until(now)))
        if writes:
            await self.store.commit(*writes, *self.resting(account_id, now))

    async def late_in(self, session: Session, *, now: int, reason: EndReason, offline: bool = False) -> None:
        """The same for a session: end grants that were created in it while it was ended. Call it right after the commit of `session`'s
        writes; after that, the guard of `SignInCompletion` prevents new ones."""
        writes = await self.grants_of(session, now=now, reason=reason, offline=offline)
        if writes:
            await self.store.commit(*writes)

    def _grants_but(self, current: Session, now: int, reason: EndReason) -> Write:
        end = self.store.grants.end_of_account
        until, exchanging = self._until(now), self._exchanging()
        return end(current.account_id, now, reason, until, exchanging=exchanging, but=current.id)

    async def _sessions(self, account_id: str, now: int, reason: EndReason, keep: str | None) -> list[Write]:
        # two rows suffice to find one other than the kept session
        found = await self.store.sessions.live_of(account_id, now, limit=2)
        if all(session.id == keep for session in found):
            return []
        told = await self.store.sessions.clients_in_all(account_id, now)
        return [
            self.store.sessions.end_of_account(account_id, now, reason, self._until(now), keep=keep),
            *self._notices(account_id, await self._to_tell(told, keep), now),
        ]

    async def tell_of_expired(self, *, now: int, since: int, limit: int = 100) -> int:
        """Tell apps of sessions that expired after `since` (seconds) and that nobody ended: back-channel log-out is for every end of a
        session. Commits for each session, by a guard, so that one of several processes tells. Returns how many sessions it saw."""
        if not any(one.backchannel_logout_uri for one in self.config.current().clients.values()):
            return 0
        found = await self.store.sessions.expired(since, now, limit)
        for session_id, account_id in found:
            told = [(session_id, client_id) for client_id in await self.store.sessions.clients_in(session_id)]
            await self.store.commit(
                self.store.sessions.expire(session_id), *self._notices(account_id, told, now)
            )
        return len(found)

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

    async def _to_tell(self, told: Sequence[tuple[str, str]], keep: str | None) -> list[tuple[str, str]]:
        """(session, app) for the notices of a whole account. Where no session stays, each app is told once, without a session: it then ends
        all that it has of the person (Back-Channel Logout 1.0 §2.4). A node of an older program would send that with an empty `sid`, so that
        while one lives each session is told."""
        if keep is None and told and not await self.store.nodes.older():
            return [
                (ALL_SESSIONS, client_id) for client_id in dict.fromkeys(client_id for _, client_id in told)
            ]
        return [pair for pair in told if pair[0] != keep]
