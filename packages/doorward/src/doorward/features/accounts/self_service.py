"""Account self-service: profile, devices, connected apps and activity of the signed-in person (ASVS 7.5.2, 10.7.3: R74)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct, structs

from doorward.core.login_name import normalise_name
from doorward.core.model.account import Account
from doorward.core.model.audit import AuditEvent
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.session import EndReason, Session
from doorward.features.audit.service import AuditLog
from doorward.features.authn.trusted_device.service import TrustedDevices
from doorward.features.clients.directory import ClientDirectory
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store, Write

ACTIVITY_DAYS: Final = 90
ACTIVITY_LINES: Final = 50
"""Per page."""
SHOWN: Final = 200
"""Sessions per page. Anyone with the password can create any number of sessions, and the cost of a page must not grow with them."""
_TRIES: Final = 3


class ConnectedApp(Struct, frozen=True):
    """An app with access on the person's behalf: its scopes per API, and since when (seconds)."""

    client: Client
    scopes: tuple[tuple[str, str], ...]
    """Distinct pairs (audience, scope)."""
    connected_at: int


class AccountPages(Struct, frozen=True, kw_only=True):
    """Every method takes the person from the live session, never from a form, so that no request can name another account's data."""

    store: Store
    clients: ClientDirectory
    revoker: Revoker
    audit_log: AuditLog
    throttle: Throttle
    trusted: TrustedDevices

    async def save_profile(
        self, account: Account, *, name: str, locale: str | None, caller: Caller, now: int
    ) -> Account | Wait | None:
        """Save name and language (None: as the browser says). Returns None when the name is too long, `Wait` when the profile was
        changed too often."""
        called = normalise_name(name)
        if called is None:
            return None
        counted = False
        for _ in range(_TRIES):
            before = await self.store.accounts.get(account.id)
            if before is None:
                return account
            after = structs.replace(before, name=called or None, locale=locale)
            if after == before:
                return after
            if not counted:
                wait = await self.throttle.change("profile", account.id, now)
                if wait is not None:
                    return wait
            counted = True
            after = structs.replace(after, updated_at=now)
            event = self._event("account.profile_changed", account, caller, now)
            if await self.store.commit(self.store.accounts.replace(after, old=before), event):
                return after
        return account

    async def devices(self, account: Account, current: Session, now: int) -> Sequence[Session]:
        """The live sessions: this one first, then by time last seen, newest first; at most `SHOWN`."""
        found = await self.store.sessions.live_of(account.id, now, limit=SHOWN)
        # `seen_at` is written only now and then, so other sessions may seem more recent than this one
        return [current, *(session for session in found if session.id != current.id)][:SHOWN]

    async def end_device(self, account: Account, session_id: str, *, caller: Caller, now: int) -> bool:
        """End one session with its grants and tokens. False: it is not a live session of this account."""
        found = await self.store.sessions.get(session_id)
        if found is None or found.account_id != account.id:
            return False
        if found.ended_at is not None or found.expires_at <= now:
            return False
        await self.store.commit(
            *await self.revoker.session(found, now=now, reason="ended_by_owner", first=True),
            self._event("session.ended", account, caller, now, session_id=found.id, reason="ended_by_owner"),
        )
        await self.revoker.late_in(found, now=now, reason="ended_by_owner")
        return True

    async def end_others(self, account: Account, current: Session, *, caller: Caller, now: int) -> int:
        """End every session except this one, and every remembered device except this one; returns the number of sessions. All in one
        commit: when it fails, nothing has ended, and the form may be sent again. One audit event covers all sessions: one event each would fill the owner's activity page and hide there what
        an attacker did before."""
        live = await self.store.sessions.live_of(account.id, now)
        here = await self.trusted.here(account, caller, now)
        count = sum(session.id != current.id for session in live)
        reason: EndReason = "ended_by_owner"
        writes = await self.revoker.others(current, now=now, reason=reason, keep_device=here)
        if count:
            writes.append(self._sessions_ended(account, current, caller, now, reason, count))
        await self.store.commit(*writes)
        await self.revoker.late_beside(current, now=now, reason=reason)
        return count

    async def apps(self, account: Account, now: int) -> Sequence[ConnectedApp]:
        """Every app with a consent or a live grant, by name. Deleted apps are left out: they hold no access."""
        held: dict[str, tuple[dict[tuple[str, str], None], int]] = {}
        for consent in await self.store.sessions.consents_of(account.id):
            scopes, since = held.get(consent.client_id, ({}, consent.granted_at))
            scopes |= {(consent.audience, scope): None for scope in consent.scopes}
            held[consent.client_id] = scopes, min(since, consent.granted_at)
        for client_id, audience, given, begun in await self.store.grants.held_of_account(account.id, now):
            scopes, since = held.get(client_id, ({}, begun))
            scopes |= {(audience, scope): None for scope in given}
            held[client_id] = scopes, min(since, begun)
        found = [
            ConnectedApp(client, tuple(scopes), since)
            for client_id, (scopes, since) in held.items()
            if (client := await self.clients.find(client_id)) is not None
        ]
        return sorted(found, key=lambda app: (app.client.name.casefold(), app.client.id))

    async def disconnect(self, account: Account, client_id: str, *, caller: Caller, now: int) -> bool:
        """Remove the consents and end the grants of one app. False: it had neither."""
        grants = await self.revoker.app_of(account.id, client_id, now=now, reason="disconnected")
        consents = [c for c in await self.store.sessions.consents_of(account.id) if c.client_id == client_id]
        if not grants and not consents:
            return False
        await self.store.commit(
            self.store.sessions.remove_consents(account.id, client_id),
            *grants,
            self._event("consent.removed", account, caller, now, client_id=client_id),
        )
        late = await self.revoker.app_of(account.id, client_id, now=now, reason="disconnected")
        if late:
            await self.store.commit(*late)
        return True

    async def activity(
        self, account: Account, kinds: Sequence[str], now: int, *, before: str | None = None
    ) -> tuple[Sequence[AuditEvent], str | None]:
        """One page of the account's audit events of these kinds in the last 90 days, newest first, and `before` for the next page (None
        on the last). Other kinds are filtered in the query, so that they do not displace events from the page."""
        found = await self.store.audit.of_account(
            account.id, kinds, since=_oldest(now), before=before, limit=ACTIVITY_LINES + 1
        )
        page = found[:ACTIVITY_LINES]
        return page, page[-1].id if len(found) > ACTIVITY_LINES else None

    async def report(
        self,
        account: Account,
        current: Session,
        event_id: str,
        *,
        caller: Caller,
        now: int,
    ) -> bool:
        """ "This wasn't me": end everything but this session and that this browser is known, in one transaction. False: the account has no such
        event."""
        found = await self.store.audit.get(event_id)
        if found is None or found.account_id != account.id or found.at < _oldest(now):
            return False
        reason: EndReason = "reported_by_owner"
        live = await self.store.sessions.live_of(account.id, now)
        count = sum(session.id != current.id for session in live)
        events = [self.store.owner_notices.end_links(account.id, now)]
        if count:
            events.append(self._sessions_ended(account, current, caller, now, reason, count))
        # a report always takes effect; only its audit event is rate-limited
        if await self.throttle.change("report", account.id, now) is None:
            said = self._event(
                "account.activity_reported",
                account,
                caller,
                now,
                session_id=current.id,
                event=event_id,
                reported=found.kind,
            )
            events.append(said)
        await self.revoker.everything(
            account.id,
            now=now,
            reason=reason,
            also=events,
            keep_session=current.id,
            keep_device=await self.trusted.here(account, caller, now),
            keep_known=await self.throttle.known(caller.devices, account.id),
        )
        return True

    def _sessions_ended(
        self, account: Account, current: Session, caller: Caller, now: int, reason: str, count: int
    ) -> Write:
        kind = "sessions.ended"
        return self._event(kind, account, caller, now, session_id=current.id, reason=reason, count=count)

    def _event(self, kind: str, account: Account, caller: Caller, now: int, **about: Any) -> Write:
        return self.audit_log.write(kind, caller=caller, now=now, account_id=account.id, **about)


def _oldest(now: int) -> int:
    return now - ACTIVITY_DAYS * 86_400
