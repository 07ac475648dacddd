"""Steps with refresh tokens: two requests at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from doorward_demo.demo.decoded import decoded
from doorward_demo.demo.drive.failed import expect
from doorward_demo.demo.drive.journey import Journey, Tokens
from doorward_demo.demo.drive.signing_in import tokens_of


def refresh_two_at_once(journey: Journey) -> str:
    """The same refresh token twice at once: one successor, and no sign-out."""
    parent = journey.has.refresh
    with ThreadPoolExecutor(2) as both:
        under_way = [both.submit(refresh, journey, parent) for _ in range(2)]
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
    journey.tokens = first
    journey.show_token("access token", decoded(first.access))
    return "Both got the same successor, and each an access token that works"


def refresh(journey: Journey, token: str) -> tuple[int, dict[str, Any]]:
    """Send a refresh token. The new tokens, if there are any, are the journey's."""
    status, said = journey.token_request({"grant_type": "refresh_token", "refresh_token": token})
    if status == 200:
        journey.tokens = _tokens(journey, said)
    return status, said


def _tokens(journey: Journey, said: dict[str, Any]) -> Tokens:
    # a server need not repeat the ID token (OpenID Connect Core §12.2)
    return tokens_of({"id_token": journey.has.identity, **said})
