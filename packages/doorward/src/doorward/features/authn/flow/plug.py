"""The plugs of the sign-in flow: factors with their pages, and what sign-ins are for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct

from doorward.features.authn.flow.factor import Factor
from doorward.features.authn.flow.goal import SignInGoals
from doorward.features.authn.flow.pages import FlowPages, GoalPages
from doorward.features.sessions.browser_context import BrowserPages
from doorward.web.route import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorPlug(Factor):
    """What a factor's folder gives."""

    def routes(self, pages: BrowserPages, flow: FlowPages) -> Sequence[Route]:
        """Its sign-in pages; none where it has only those that it shares. Each handler ends in `flow.follow`."""
        del pages, flow
        return ()


class GoalPlug(Struct, frozen=True):
    """What a feature above the flow gives, for whose sake people sign in."""

    goals: SignInGoals
    pages: GoalPages
