"""Rules for a mailed code or link: it proves control of the mailbox, in the browser that requested it (ASVS 6.6, NIST SP 800-63B-4
§3.1.3)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.message import EmailChallenge, TicketKind

DIGITS: Final[Mapping[TicketKind, int]] = {"sign_up": 6, "reset": 9, "sign_in": 9}
"""Length of a code. A reset code or a sign-in code opens an existing account: with the 50 guesses a day that are checked per address, six digits are
guessed once in 20,000 days times addresses, and an attacker with very many networks can guess at as many addresses. Nine digits are
guessed once in 20 million, and are typed as three groups of three."""


class Proven(Struct, frozen=True):
    """Control of the mailbox to which the ticket's code and link were sent is proven."""

    ticket: EmailChallenge


class Missed(Struct, frozen=True):
    """Not proven, and why. The page shows only `browser` as a reason of its own (the person then knows where to type the code). It
    reveals nothing about the address, since the link has 256 bits that only its recipient knows."""

    why: Literal["unknown", "browser", "expired", "used", "spent", "code"]


def by_code(
    ticket: EmailChallenge | None,
    code_hash: bytes,
    *,
    kind: TicketKind,
    browser_hash: bytes,
    max_tries: int,
    now: int,
) -> Proven | Missed:
    """What a link needs, and the right code. `code_hash` is the hash of the typed code, made like that of the ticket. The caller has already counted this attempt
    (`ticket.tries` includes it), so that a guess counts even if its request is aborted."""
    held = by_link(ticket, kind=kind, browser_hash=browser_hash, now=now)
    if isinstance(held, Missed):
        return held
    if held.ticket.tries > max_tries:
        return Missed("spent")
    return held if hmac.compare_digest(held.ticket.code_hash, code_hash) else Missed("code")


def by_link(
    ticket: EmailChallenge | None, *, kind: TicketKind, browser_hash: bytes, now: int
) -> Proven | Missed:
    """The ticket was found by the hash of the link's secret. A link works only in the browser that requested it (ASVS 6.6.2)."""
    if ticket is None or ticket.kind != kind:
        return Missed("unknown")
    if not hmac.compare_digest(ticket.browser_hash, browser_hash):
        return Missed("browser")
    if ticket.used_at is not None or ticket.proven_at is not None:
        return Missed("used")
    return Missed("expired") if now >= ticket.expires_at else Proven(ticket)


def usable(
    ticket: EmailChallenge | None, *, kind: TicketKind, browser_hash: bytes, ttl: int, now: int
) -> bool:
    """Whether a proven ticket may still be used (to set a new password): once, in this browser, for `ttl` seconds after the proof."""
    return (
        ticket is not None
        and ticket.kind == kind
        and ticket.used_at is None
        and ticket.proven_at is not None
        and now < ticket.proven_at + ttl
        and hmac.compare_digest(ticket.browser_hash, browser_hash)
    )


def for_ticket(account: Account | None) -> dict[str, Any]:
    """Account state that a ticket for an existing account stores."""
    return {} if account is None else {"against": account.password_changed_at or 0}


def ticket_stands(ticket: EmailChallenge, account: Account | None) -> bool:
    """Whether a ticket is still valid for its account: not after a change of address or password, and not while the account is disabled
    (R94)."""
    if account is None or account.disabled_at is not None:
        return False
    if account.id != ticket.account_id or account.email != ticket.email:
        return False
    against = ticket.payload.get("against")
    set_at = account.password_changed_at or 0
    # tickets of the previous version store no state, so the times are compared
    return set_at < ticket.created_at if against is None else against == set_at
