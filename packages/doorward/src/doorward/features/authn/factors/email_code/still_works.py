"""Check of the code in a queued mail: a mail that was delayed past its code's expiry only misleads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from doorward.features.authn.factors.email_code.rules import ticket_stands
from doorward.storage.sql.store import Store


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StillWorks:
    """Called before each attempt to send such a mail."""

    store: Store

    async def problem(self, ticket_id: str, now: int) -> str | None:
        """Why the ticket's code no longer works, in a few words for the log; None while it works. Raises `StoreUnavailable`."""
        ticket = await self.store.messages.ticket(ticket_id)
        if ticket is None or now >= ticket.expires_at:
            return "its code has expired"
        if ticket.used_at is not None or ticket.proven_at is not None:
            return "its code was used or replaced"
        # a sign-up is for an address without an account
        if ticket.kind != "sign_up" and not ticket_stands(
            ticket, await self.store.accounts.get(ticket.account_id or "")
        ):
            return "its code was for a password or an account that is another now"
        return None
