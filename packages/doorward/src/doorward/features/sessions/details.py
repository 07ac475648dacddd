"""Sessions as their owners and operators see them: with place, apps and device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from msgspec import Struct

from doorward.core.model.place import Place
from doorward.core.model.session import Session
from doorward.core.ports.places import Places
from doorward.storage.sql.store import Store


class SessionDetails(Struct, frozen=True, kw_only=True):
    """`place` is that of the session's address, None if it is not known; `apps` are the ids of those with a living grant made in it, newest
    first; `factors` the kinds of factors that it rests on, in the order in which they were shown."""

    session: Session
    place: Place | None
    apps: tuple[str, ...]
    factors: tuple[str, ...]


@final
class SessionReader(Struct, frozen=True, kw_only=True):
    """Reads what is behind sessions: one query for all of them."""

    store: Store
    places: Places

    async def details(
        self, account_id: str, sessions: Sequence[Session], now: int
    ) -> Sequence[SessionDetails]:
        """The same sessions, in the same order. All are of this account."""
        apps: dict[str, dict[str, None]] = {}
        for session_id, client_id in await self.store.sessions.living_apps(account_id, now):
            apps.setdefault(session_id, {})[client_id] = None
        return [
            SessionDetails(
                session=one,
                place=self.places.find(one.address) if one.address else None,
                apps=tuple(apps.get(one.id, ())),
                factors=tuple(dict.fromkeys(proof.kind for proof in one.proofs)),
            )
            for one in sessions
        ]
