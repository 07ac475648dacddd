"""Audit events of people and apps, as writes for the caller's own commit."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.audit import AuditEvent
from doorward.core.model.caller import Caller
from doorward.core.model.grant import Grant
from doorward.core.ports.places import Places
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.salt import new_salt
from doorward.storage.sql.store import Store, Write


class AuditLog(Struct, frozen=True, kw_only=True):
    """Creates audit events for the actions of people and apps, and for attempts in their name."""

    store: Store
    random: SecureRandom
    places: Places | None = None
    """Asked when a line is written: the files change, and an address that moves on must not move what happened."""

    def write(
        self,
        kind: str,
        *,
        caller: Caller,
        now: int,
        account_id: str | None = None,
        session_id: str | None = None,
        client_id: str | None = None,
        grant_id: str | None = None,
        ok: bool = True,
        **detail: str | int | list[str],
    ) -> Write:
        """`kind` as in docs/reference/audit.md. `detail` never holds a secret, nor the text typed as a user name: people type passwords
        there."""
        place = network = None
        if self.places is not None and caller.address:
            place, network = self.places.find(caller.address), self.places.network(caller.address)
        return self.store.audit.append(
            AuditEvent(
                id=self.random.new_id("aud"),
                at=now,
                kind=kind,
                ok=ok,
                account_id=account_id,
                session_id=session_id,
                client_id=client_id,
                grant_id=grant_id,
                address=caller.address,
                user_agent=caller.user_agent,
                request_id=caller.request_id,
                detail=dict(detail),
                place=place,
                network=network,
            ),
            salt=new_salt(self.random),
        )

    def of_grant(self, kind: str, grant: Grant, *, caller: Caller, now: int, ok: bool = True) -> Write:
        """An event about a grant, with its account, app and session."""
        return self.write(
            kind,
            caller=caller,
            now=now,
            account_id=grant.account_id,
            session_id=grant.session_id,
            client_id=grant.client_id,
            grant_id=grant.id,
            ok=ok,
        )
