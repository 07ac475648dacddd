"""Proofs of a mailbox as the pages pass them on: a typed code or a pressed link button of a sign-up or a reset."""

from __future__ import annotations

from doorward.core.model.caller import Caller
from doorward.core.model.message import EmailChallenge
from doorward.features.accounts.verify_address import VerifiedAddress
from doorward.features.authn.email_challenges.rules import Missed, Proven
from doorward.features.rate_limits.rules.attempts import Wait
from tests.people import House


async def reset_by_code(
    house: House, ticket_id: str, typed: str, *, caller: Caller, now: int
) -> EmailChallenge | Missed | Wait:
    """Type the code of a reset."""
    shown = await house.email_challenges.by_code("reset", ticket_id, typed, caller=caller, now=now)
    return await house.reset.accept(shown, now) if isinstance(shown, Proven) else shown


async def reset_by_link(house: House, token: str, *, caller: Caller, now: int) -> EmailChallenge | Missed:
    """Press the button behind the link of a reset."""
    shown = await house.email_challenges.by_link("reset", token, caller.browser_hash, now)
    return await house.reset.accept(shown, now) if isinstance(shown, Proven) else shown


async def verify_by_code(
    house: House, ticket_id: str, typed: str, *, caller: Caller, now: int
) -> VerifiedAddress | Missed | Wait:
    """Type the code of a sign-up."""
    shown = await house.email_challenges.by_code("sign_up", ticket_id, typed, caller=caller, now=now)
    if not isinstance(shown, Proven):
        return shown
    return await house.verify.accept(shown, caller=caller, now=now)


async def verify_by_link(house: House, token: str, *, caller: Caller, now: int) -> VerifiedAddress | Missed:
    """Press the button behind the link of a sign-up."""
    shown = await house.email_challenges.by_link("sign_up", token, caller.browser_hash, now)
    if not isinstance(shown, Proven):
        return shown
    return await house.verify.accept(shown, caller=caller, now=now)
