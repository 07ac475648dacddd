"""Checks after the storm: all people continue with their tokens, and spent tokens are worthless."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from trials.cluster.browser import Browser
from trials.cluster.ledger import GaveUp
from trials.cluster.people import Person


@dataclass(frozen=True, slots=True)
class Aftermath:
    """`signed_out`: people whom the server no longer recognised, with its answer. `spent_tried` spent tokens were
    presented, of which `spent_taken` were answered with tokens; `family_lived` families still worked after that."""

    signed_out: Sequence[str]
    spent_tried: int
    spent_taken: int
    family_lived: int


async def look(
    people: Sequence[Person], browsers: Sequence[Browser], issuer: str, *, sample: int, leeway: float
) -> Aftermath:
    """Refresh everyone's newest token twice in a row, and get a grant from every browser's session. Then
    present a token that was spent long ago for `sample` people: it is refused, and its family is revoked."""
    await asyncio.gather(*(_go_on(person) for person in people))
    settled = time.monotonic()
    await asyncio.gather(*(_once_more(person, issuer) for person in browsers))
    signed_out = [
        f"{person.email}: {person.signed_out}" for person in (*people, *browsers) if person.signed_out
    ]
    tried = [person for person in people if len(person.spent) > 2 and not person.signed_out][:sample]
    await asyncio.sleep(max(0.0, settled + leeway + 1.5 - time.monotonic()))
    taken = await asyncio.gather(*(_present_spent(person) for person in tried))
    lived = await asyncio.gather(*(_lives(person) for person in tried))
    return Aftermath(signed_out, len(tried), sum(taken), sum(lived))


async def _go_on(person: Person) -> None:
    try:
        for _ in range(2):
            if not person.signed_out:
                await person.refresh()
    except GaveUp:
        person.signed_out = "nothing but errors"


async def _once_more(person: Browser, issuer: str) -> None:
    try:
        if not person.signed_out:
            await person.silently(issuer)
    except GaveUp:
        person.signed_out = "nothing but errors"


async def _present_spent(person: Person) -> bool:
    """Whether a token from the middle of the chain is still accepted."""
    token = person.spent[len(person.spent) // 2 - 1]
    fields = {"grant_type": "refresh_token", "refresh_token": token}
    answer = await person.line.form("/token", fields, authorization=person.app.proof)
    return answer.status == 200


async def _lives(person: Person) -> bool:
    """Whether the newest token still refreshes. It must not after an old one was presented."""
    fields = {"grant_type": "refresh_token", "refresh_token": person.newest}
    answer = await person.line.form("/token", fields, authorization=person.app.proof)
    return answer.status == 200
