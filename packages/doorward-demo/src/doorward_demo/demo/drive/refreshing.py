"""Steps with refresh tokens: two requests at once, and a late replay."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from doorward_demo.demo.decoded import decoded
from doorward_demo.demo.drive.ended import until_refused
from doorward_demo.demo.drive.failed import expect
from doorward_demo.demo.drive.journey import Journey, Tokens
from doorward_demo.demo.drive.signing_in import tokens_of


def refresh_two_at_once(journey: Journey) -> str:
    """The same refresh token twice at once: one successor, and no sign-out."""
    parent = journey.has.refresh
    with ThreadPoolExecutor(2) as both:
        under_way = [both.submit(_refresh, journey, parent) for _ in range(2)]
        answers = [future.result() for future in under_way]
    for status, said in answers:
        expect(status == 200, "status 200 for both", f"{status} {said.get('error', '')}")
    first, second = (_tokens(journey, said) for _, said in answers)
    expect(first.refresh == second.refresh, "the same successor for both", "two different ones")
    expect(first.refresh != parent, "a new refresh token", "the old one")
    expect(first.access != second.access, "an access token for each", "the same one twice")
    for tokens in (first, second):
        answer = journey.wire.send("GET", f"{journey.api}/orders", token=tokens.access)
        expect(answer.status_code == 200, "status 200 with either access token", answer.status_code)
    journey.spent_refresh = parent
    journey.tokens = first
    journey.show_token("access token", decoded(first.access))
    return "Both got the same successor, and each an access token that works"


def replay(journey: Journey) -> str:
    """The successor is used; after the leeway its parent is sent again: it is refused, and that sign-in's
    family is revoked."""
    status, said = _refresh(journey, journey.has.refresh)
    expect(status == 200, "status 200 for the successor", f"{status} {said.get('error', '')}")
    journey.tokens = _tokens(journey, said)
    time.sleep(journey.state.refresh_leeway + 1.1)
    began = time.perf_counter()
    status, said = _refresh(journey, journey.spent_refresh)
    expect(status == 400, "status 400 for the replayed token", status)
    expect(said.get("error") == "invalid_grant", "invalid_grant", said.get("error"))
    took = until_refused(journey, journey.has.access, began)
    status, said = _refresh(journey, journey.has.refresh)
    expect(status == 400, "status 400 for the newest token of the family too", status)
    return (
        f"Refused after a leeway of {journey.state.refresh_leeway} s (60 s by default); "
        f"the family ended, and its access token was refused after {took:.0f} ms"
    )


def _refresh(journey: Journey, token: str) -> tuple[int, dict[str, Any]]:
    return journey.token_request({"grant_type": "refresh_token", "refresh_token": token})


def _tokens(journey: Journey, said: dict[str, Any]) -> Tokens:
    # a server need not repeat the ID token (OpenID Connect Core §12.2)
    return tokens_of({"id_token": journey.has.identity, **said})
