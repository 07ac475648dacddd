"""Rules for a mailed code or link: it proves control of the mailbox, in the browser that requested it (ASVS 6.6, NIST SP 800-63B-4
§3.1.3)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.message import EmailChallenge, TicketKind

DIGITS: Final[Mapping[TicketKind, int]] = {"sign_up": 6, "reset": 9, "sign_in": 9, "address": 6}
"""Length of a code. A reset code or a sign-in code opens an existing account: with the 50 guesses a day that are checked per address, six digits are
guessed once in 20,000 days times addresses, and an attacker with very many networks can guess at as many addresses. Nine digits are
guessed once in 20 million, and are typed as three groups of three."""


class Proven(Struct, frozen=True):
    """Control of the mailbox to which the challenge's code and link were sent is proven."""

    challenge: EmailChallenge


class Missed(Struct, frozen=True):
    """Not proven, and why. The page shows only `browser` as a reason of its own (the person then knows where to type the code). It
    reveals nothing about the address, since the link has 256 bits that only its recipient knows."""

    why: Literal["unknown", "browser", "expired", "used", "spent", "code"]


def by_code(
    challenge: EmailChallenge | None,
    code_hash: bytes,
    *,
    kind: TicketKind,
    browser_hash: bytes,
    max_tries: int,
    now: int,
) -> Proven | Missed:
    """What a link needs, and the right code. `code_hash` is the hash of the typed code, made like that of the challenge. The caller has already counted this attempt
    (`ticket.tries` includes it), so that a guess counts even if its request is aborted."""
    held = by_link(challenge, kind=kind, browser_hash=browser_hash, now=now)
    if isinstance(held, Missed):
        return held
    if held.challenge.tries > max_tries:
        return Missed("spent")
    return held if hmac.compare_digest(held.challenge.code_hash, code_hash) else Missed("code")


def by_link(
    challenge: EmailChallenge | None, *, kind: TicketKind, browser_hash: bytes, now: int
) -> Proven | Missed:
    """The challenge was found by the hash of the link's secret. A link works only in the browser that requested it (ASVS 6.6.2)."""
    if challenge is None or challenge.kind != kind:
        return Missed("unknown")
    if not hmac.compare_digest(challenge.browser_hash, browser_hash):
        return Missed("browser")
    if challenge.used_at is not None or challenge.proven_at is not None:
        return Missed("used")
    return Missed("expired") if now >= challenge.expires_at else Proven(challenge)


def usable(
    challenge: EmailChallenge | None, *, kind: TicketKind, browser_hash: bytes, ttl: int, now: int
) -> bool:
    """Whether a proven challenge may still be used (to set a new password): once, in this browser, for `ttl` seconds after the proof."""
    return (
        challenge is not None
        and challenge.kind == kind
        and challenge.used_at is None
        and challenge.proven_at is not None
        and now < challenge.proven_at + ttl
        and hmac.compare_digest(challenge.browser_hash, browser_hash)
    )


def for_ticket(account: Account | None) -> dict[str, Any]:
    """Account state that a challenge for an existing account stores."""
    return {} if account is None else {"against": account.password_state}


def for_holder(account: Account) -> dict[str, Any]:
    """What a challenge for a new address of an existing account stores: whose it is to be, and the state that it is for."""
    return {"holder": account.id, "was": account.email or "", **for_ticket(account)}


def holder_stands(challenge: EmailChallenge, account: Account | None) -> bool:
    """The same as `ticket_stands` for a challenge that proves a new address. True where no account is to have it yet."""
    if "holder" not in challenge.payload:
        return True
    if account is None or account.disabled_at is not None or account.id != challenge.account_id:
        return False
    return for_holder(account).items() <= challenge.payload.items()


def ticket_stands(challenge: EmailChallenge, account: Account | None) -> bool:
    """Whether a challenge is still valid for its account: not after a change of address or password, and not while the account is disabled
    (R94)."""
    if account is None or account.disabled_at is not None:
        return False
    if account.id != challenge.account_id or account.email != challenge.email:
        return False
    against = challenge.payload.get("against")
    if against is None:
        # challenges of the previous version store no state, so the times are compared
        return (account.password_changed_at or 0) < challenge.created_at
    return against == account.password_state
