"""Registration rules for token exchange: what an app may be allowed to exchange (RFC 8693 §5)."""

from __future__ import annotations

from typing import Final

from doorward.core.model.client import Client
from doorward.core.model.problem import Problem, problem

MOST_APIS: Final = 50
MOST_SERVERS: Final = 50


def exchange_problem(client: Client) -> Problem | None:
    """Check that an app that cannot prove itself acts for nobody: it may exchange its own tokens, and anything more would be open to
    everybody who names it."""
    policy = client.exchange
    if policy is None:
        return None
    if not client.confidential and (policy.impersonate or policy.id_jag):
        return problem("public_app_for_others")
    for member, number, most in (
        ("apis", len(policy.apis), MOST_APIS),
        ("id_jag", len(policy.id_jag), MOST_SERVERS),
    ):
        if number > most:
            return problem("out_of_range", member=member, value=number, least=0, most=most)
    return None
