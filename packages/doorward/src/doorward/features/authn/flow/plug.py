"""Plugs of the sign-in flow: factors with their pages, and the goal of sign-ins."""

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
    """A factor with routes, as supplied by the folder of the factor."""

    def routes(self, pages: BrowserPages, flow: FlowPages) -> Sequence[Route]:
        """Its sign-in pages; none if it has only shared ones. Each handler ends in `flow.follow`."""
        del pages, flow
        return ()


class GoalPlug(Struct, frozen=True):
    """The goal of sign-ins with its pages, as supplied by a feature above the flow."""

    goals: SignInGoals
    pages: GoalPages
