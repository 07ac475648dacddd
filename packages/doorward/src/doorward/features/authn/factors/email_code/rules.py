"""Does this code or link prove that the person reads this mail box, and asked from this browser? (ASVS 6.6, NIST SP 800-63B-4 §3.1.3)"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.message import Ticket, TicketKind

DIGITS: Final[Mapping[TicketKind, int]] = {"sign_up": 6, "reset": 9}
"""How long a code is. One for a reset opens an account that is somebody's: at the 50 guesses a day that are looked at for each address,
six digits fall once in 20,000 days and addresses, and whoever has very many networks has as many addresses to guess at. Nine fall
once in 20 million, and are three groups of three to type."""


class Proven(Struct, frozen=True):
    """The mail box is theirs."""


class Missed(Struct, frozen=True):
    """Not proven, and why. Only `browser` is told apart to the person (they then know where to type the code): it says
    nothing about the address, since the link itself is 256 bits that only its reader has."""

    why: Literal["unknown", "browser", "expired", "used", "spent", "code"]


def by_code(
    ticket: Ticket | None,
    code_hash: bytes,
    *,
    kind: TicketKind,
    browser_hash: bytes,
    max_tries: int,
    now: int,
) -> Proven | Missed:
    """`code_hash` is made from what was typed exactly as the ticket's was; the caller has counted this try already
    (`ticket.tries` includes it), so that a guess that is never answered still counts."""
    held = _held(ticket, kind=kind, browser_hash=browser_hash, now=now)
    if isinstance(held, Missed):
        return held
    if held.tries > max_tries:
        return Missed("spent")
    if not hmac.compare_digest(held.code_hash, code_hash):
        return Missed("code")
    return Proven()


def by_link(ticket: Ticket | None, *, kind: TicketKind, browser_hash: bytes, now: int) -> Proven | Missed:
    """The ticket was found by the hash of the link's secret. A link works only in the browser that asked (ASVS 6.6.2)."""
    held = _held(ticket, kind=kind, browser_hash=browser_hash, now=now)
    return held if isinstance(held, Missed) else Proven()


def usable(ticket: Ticket | None, *, kind: TicketKind, browser_hash: bytes, ttl: int, now: int) -> bool:
    """Whether what was proven may still be acted on (a new password set): once, in this browser, for `ttl` seconds after the proof."""
    return (
        ticket is not None
        and ticket.kind == kind
        and ticket.used_at is None
        and ticket.proven_at is not None
        and now < ticket.proven_at + ttl
        and hmac.compare_digest(ticket.browser_hash, browser_hash)
    )


def for_ticket(account: Account | None) -> dict[str, Any]:
    """What a ticket that opens an account keeps of its state."""
    return {} if account is None else {"against": account.password_changed_at or 0}


def ticket_stands(ticket: Ticket, account: Account | None) -> bool:
    """Whether a ticket still opens the account that it was made for: not once its address or its password is another, and not while
    it is disabled (R94)."""
    if account is None or account.disabled_at is not None:
        return False
    if account.id != ticket.account_id or account.email != ticket.email:
        return False
    against = ticket.payload.get("against")
    set_at = account.password_changed_at or 0
    # one of the version before kept no state: the times have to tell
    return set_at < ticket.created_at if against is None else against == set_at


def _held(ticket: Ticket | None, *, kind: TicketKind, browser_hash: bytes, now: int) -> Ticket | Missed:
    if ticket is None or ticket.kind != kind:
        return Missed("unknown")
    if not hmac.compare_digest(ticket.browser_hash, browser_hash):
        return Missed("browser")
    if ticket.used_at is not None or ticket.proven_at is not None:
        return Missed("used")
    if now >= ticket.expires_at:
        return Missed("expired")
    return ticket
