"""Devices of the signed-in person: what is known of each, its name, and its end (ASVS 7.5.2, R74)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from doorward.core import text
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.device import MAX_NAME
from doorward.core.model.session import EndReason, Session
from doorward.features.audit.service import AuditLog
from doorward.features.clients.directory import ClientDirectory
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.features.sessions.details import SessionDetails, SessionReader
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store


class OwnDevices(Struct, frozen=True, kw_only=True):
    """Every method takes the person from the live session, never from a form."""

    store: Store
    reader: SessionReader
    clients: ClientDirectory
    revoker: Revoker
    audit_log: AuditLog
    throttle: Throttle

    async def get(self, account: Account, session_id: str, now: int) -> SessionDetails | None:
        """One live session of theirs; None if there is none with this id."""
        found = await self._live(account, session_id, now)
        return None if found is None else (await self.reader.details(account.id, (found,), now))[0]

    async def details(
        self, account: Account, sessions: Sequence[Session], now: int
    ) -> Sequence[SessionDetails]:
        """What is behind these sessions of theirs."""
        return await self.reader.details(account.id, sessions, now)

    async def app_names(self, client_ids: Sequence[str]) -> tuple[str, ...]:
        """The names of apps, without those that are gone."""
        names = [await self.clients.name(one) for one in client_ids]
        return tuple(dict.fromkeys(name for name in names if name is not None))

    async def rename(self, account: Account, session_id: str, name: str, now: int) -> bool | Wait | None:
        """Give the device of a session another name, "" for none; its later sessions have it too. None: the name is too long. False: no live
        session of theirs has this id."""
        wanted = text.name(name)
        if len(wanted) > MAX_NAME:
            return None
        found = await self._live(account, session_id, now)
        if found is None:
            return False
        if (wait := await self.throttle.change("methods", account.id, now)) is not None:
            return wait
        return await self.store.commit(self.store.sessions.rename(found, wanted or None))

    async def end(self, account: Account, session_id: str, *, caller: Caller, now: int) -> bool:
        """End everything of the device of a session: all sessions in that browser, their apps, offline ones too, and that it is known. False:
        no live session of theirs has this id."""
        reason: EndReason = "ended_by_owner"
        found = await self._live(account, session_id, now)
        if found is None:
            return False
        event = self.audit_log.write(
            "device.ended",
            caller=caller,
            now=now,
            account_id=account.id,
            session_id=found.id,
            reason=reason,
        )
        await self.store.commit(*await self.revoker.device(found, now=now, reason=reason), event)
        await self.revoker.late_in(found, now=now, reason=reason, offline=True)
        return True

    async def _live(self, account: Account, session_id: str, now: int) -> Session | None:
        found = await self.store.sessions.get(session_id)
        if found is None or found.account_id != account.id or found.ended_at is not None:
            return None
        return found if now < found.expires_at else None
