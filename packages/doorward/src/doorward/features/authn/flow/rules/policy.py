"""What a sign-in has to show: the settings, roles, app and operator of the person, and what the app requests (R85)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Role
from doorward.core.model.factor_demand import FactorDemand
from doorward.core.model.levels import AAL2, at_least
from doorward.core.model.policy import SecondFactorPolicy

Reason = Literal["enrolled", "policy", "role", "app", "operator", "risk"]

OPERATOR_WITHIN: Final = 3600
"""Seconds after an operator's demand in which no remembered device replaces the second step."""


class StepDemand(Struct, frozen=True, kw_only=True):
    """`steps`: how many different steps the person has to show. `acr`: the level that the app requests. `kinds`: those of the factors
    that the person may set up if a step is missing. `because`: what demands two steps; `grace_until` (seconds): until when the person
    may put off setting one up. `rememberable`: a remembered device may replace the second step; not where an app or a role demands it,
    nor where every proof is wanted anew."""

    steps: Literal[1, 2] = 1
    acr: str | None = None
    kinds: frozenset[str] = frozenset()
    because: Reason | None = None
    grace_until: int | None = None
    rememberable: bool = False

    def lowered(self) -> StepDemand:
        """The demand on a remembered device."""
        return self if not self.rememberable else StepDemand(acr=self.acr, kinds=self.kinds)


def demand(
    policy: SecondFactorPolicy,
    *,
    roles: Sequence[Role],
    client: Client | None,
    row: FactorDemand | None,
    enrolled: bool,
    acr: str | None,
    prompted: bool,
    now: int,
) -> StepDemand:
    """The demand on one sign-in. An app can demand more than the settings do, never less.

    `client` is the app that started the sign-in, `row` what is stored about the person. `enrolled`: a factor of the person is asked for
    at every sign-in. `acr` is the level that the app requests; `prompted`: older proofs do not count (prompt=login, max_age, a page for
    sensitive changes).
    """
    kinds = frozenset[str](policy.allowed)
    by_operator = row is not None and row.required_at is not None
    # the grace period of a setting begins when it is first found unmet; an operator states an end, or grants none
    asked_at = now if row is None or row.asked_at is None else row.asked_at
    usual = asked_at + policy.grace
    reasons: list[tuple[int, Reason]] = []
    if client is not None and client.second_factor == "required":
        reasons.append((usual, "app"))
    if any(role.second_factor for role in roles):
        reasons.append((usual, "role"))
    if policy.require == "required":
        reasons.append((usual, "policy"))
    if row is not None and by_operator:
        reasons.append((row.grace_until or 0, "operator"))
    if enrolled:
        until, because = None, "enrolled"
    elif reasons:
        until, because = min(reasons, key=lambda one: one[0])
    else:
        return StepDemand(acr=acr, kinds=kinds)
    lately = row is not None and row.required_at is not None and now - row.required_at < OPERATOR_WITHIN
    chosen = any(because in {"app", "role"} for _, because in reasons)
    strict = prompted or lately or chosen or at_least(acr, AAL2)
    return StepDemand(
        steps=2,
        acr=acr,
        kinds=kinds,
        because=because,
        grace_until=until if until is not None and until > now else None,
        rememberable=policy.ask == "remembered" and not strict,
    )
