"""What a signed-in person sees and ends on the account pages: profile, devices, connected apps, activity (ASVS 7.5.2, 10.7.3: line 74)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct, structs

from doorward.core.login_name import normalise_name
from doorward.core.model.account import Account
from doorward.core.model.audit import AuditEvent
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.session import Session
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.features.audit.service import Record
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.rules.budget import Change
from doorward.features.rate_limits.service import Throttle
from doorward.features.sessions.ending import Ending
from doorward.storage.sql.store import Store, Write

ACTIVITY_DAYS: Final = 90
ACTIVITY_LINES: Final = 50
"""On one page."""
SHOWN: Final = 200
"""Sessions on a page: whoever knows a password can begin as many as they like, and each page would cost as much as all of them."""
_TRIES: Final = 3


class ConnectedApp(Struct, frozen=True):
    """An app that may act for the person: what it may do, at which APIs, since when (seconds)."""

    client: Client
    scopes: tuple[tuple[str, str], ...]
    """(audience, scope), each once."""
    connected_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPages:
    """Every method takes the person from the live session, never from a form: nobody can name another's things."""

    store: Store
    catalog: CatalogSource
    ending: Ending
    record: Record
    throttle: Throttle

    async def save_profile(
        self, account: Account, *, name: str, locale: str | None, caller: Caller, now: int
    ) -> Account | Wait | None:
        """Name and language. None: the name is too long; `Wait`: changed too often. `locale` None: as the browser says."""
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
            if not counted and (wait := await self._take("profile", account, now)) is not None:
                return wait
            counted = True
            after = structs.replace(after, updated_at=now)
            event = self._event("account.profile_changed", account, caller, now)
            if await self.store.commit(self.store.accounts.replace(after, old=before), event):
                return after
        return account

    async def devices(self, account: Account, current: Session, now: int) -> Sequence[Session]:
        """The live sessions, this one first, then last seen first; of very many those that were seen last."""
        found = await self.store.sessions.live_of(account.id, now, limit=SHOWN)
        # a browser is noted as seen once in a while: others may seem to have been here later
        return [current, *(session for session in found if session.id != current.id)][:SHOWN]

    async def end_device(self, account: Account, session_id: str, *, caller: Caller, now: int) -> bool:
        """End one session with all that hangs on it. False: it is not (or no longer) one of theirs."""
        found = await self.store.sessions.get(session_id)
        if found is None or found.account_id != account.id:
            return False
        if found.ended_at is not None or found.expires_at <= now:
            return False
        await self.store.commit(
            *await self.ending.session(found, now=now, reason="ended_by_owner", first=True),
            self._event("session.ended", account, caller, now, session_id=found.id, reason="ended_by_owner"),
        )
        await self.ending.late_in(found, now=now, reason="ended_by_owner")
        return True

    async def end_others(
        self, account: Account, current: Session, *, caller: Caller, now: int, grants_too: bool = False
    ) -> int:
        """End every session but this one; how many. `grants_too`: every app's grant as well, offline ones and this session's
        (the answer to "this wasn't me"). All in one commit: when it fails, nothing has ended, and the same form may be sent again.

        The record has one line for all of them: a line for each would fill the owner's own page, and hide there what a thief did
        before.
        """
        live = await self.store.sessions.live_of(account.id, now)
        count = sum(session.id != current.id for session in live)
        reason = "reported_by_owner" if grants_too else "ended_by_owner"
        if grants_too:
            writes = await self.ending.account(
                account.id, now=now, reason=reason, keep_session=current.id, sub_entry=False
            )
        else:
            writes = await self.ending.others(current, now=now, reason=reason)
        if count:
            event = self._event(
                "sessions.ended", account, caller, now, session_id=current.id, reason=reason, count=count
            )
            writes.append(event)
        await self.store.commit(*writes)
        if grants_too:
            await self.ending.late(account.id, now=now, reason=reason, keep_session=current.id)
        else:
            await self.ending.late_beside(current, now=now, reason=reason)
        return count

    async def apps(self, account: Account, now: int) -> Sequence[ConnectedApp]:
        """Every app with a consent or a living grant, by name. What was deleted meanwhile is not shown: it holds nothing any more."""
        held: dict[str, tuple[dict[tuple[str, str], None], int]] = {}
        for consent in await self.store.sessions.consents_of(account.id):
            scopes, since = held.get(consent.client_id, ({}, consent.granted_at))
            scopes |= {(consent.audience, scope): None for scope in consent.scopes}
            held[consent.client_id] = scopes, min(since, consent.granted_at)
        for client_id, audience, given, begun in await self.store.grants.held_of_account(account.id, now):
            scopes, since = held.get(client_id, ({}, begun))
            scopes |= {(audience, scope): None for scope in given}
            held[client_id] = scopes, min(since, begun)
        clients = self.catalog.current().clients
        found = [
            ConnectedApp(clients[client_id], tuple(scopes), since)
            for client_id, (scopes, since) in held.items()
            if client_id in clients
        ]
        return sorted(found, key=lambda app: (app.client.name.casefold(), app.client.id))

    async def disconnect(self, account: Account, client_id: str, *, caller: Caller, now: int) -> bool:
        """Take back the consents and end the grants of one app. False: it had neither."""
        grants = await self.ending.app_of(account.id, client_id, now=now, reason="disconnected")
        consents = [c for c in await self.store.sessions.consents_of(account.id) if c.client_id == client_id]
        if not grants and not consents:
            return False
        await self.store.commit(
            self.store.sessions.remove_consents(account.id, client_id),
            *grants,
            self._event("consent.removed", account, caller, now, client_id=client_id),
        )
        late = await self.ending.app_of(account.id, client_id, now=now, reason="disconnected")
        if late:
            await self.store.commit(*late)
        return True

    async def activity(
        self, account: Account, kinds: Sequence[str], now: int, *, before: str | None = None
    ) -> tuple[Sequence[AuditEvent], str | None]:
        """A page of the last 90 days of their record, newest first, of these kinds alone: what is not shown pushes nothing off the
        page. With it the `before` of the next page; None when there is none."""
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
        """ "This wasn't me": everything but this browser is signed out and forgotten as a device, every app loses its access. False: no
        such event of theirs."""
        found = await self.store.audit.get(event_id)
        if found is None or found.account_id != account.id or found.at < _oldest(now):
            return False
        await self.end_others(account, current, caller=caller, now=now, grants_too=True)
        known = await self.throttle.known(caller.devices, account.id)
        await self.store.commit(self.store.sessions.forget_devices(account.id, but=known))
        # what was reported is always done; only the line in the record that says so has a limit
        if await self._take("report", account, now) is not None:
            return True
        kind, about = "account.activity_reported", found.kind
        event = self._event(kind, account, caller, now, session_id=current.id, event=event_id, reported=about)
        await self.store.commit(event)
        return True

    def _event(self, kind: str, account: Account, caller: Caller, now: int, **about: Any) -> Write:
        return self.record.write(kind, caller=caller, now=now, account_id=account.id, **about)

    async def _take(self, change: Change, account: Account, now: int) -> Wait | None:
        return await self.throttle.take(self.throttle.of_changes(change, account.id), now)


def _oldest(now: int) -> int:
    return now - ACTIVITY_DAYS * 86_400
