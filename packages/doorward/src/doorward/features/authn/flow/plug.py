"""Plugs of the sign-in flow: factors with their pages, all that a factor's folder adds, and the goal of sign-ins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from doorward.features.authn.flow.backup import Backups
from doorward.features.authn.flow.enrolment import Enrolment, EnrolmentPages
from doorward.features.authn.flow.factor import Factor
from doorward.features.authn.flow.goal import DecisionPages, ResponsePages, SignInGoals
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.flow.password_source import PasswordSource
from doorward.features.authn.flow.shown import MethodCards, ProfileOffers
from doorward.features.feature import BackgroundJob, DoctorCheck
from doorward.features.services import Services
from doorward.features.sessions.browser_context import BrowserPages
from doorward.features.slots import ActivityKind, Kept
from doorward.web.mail.message import MessageTemplate
from doorward.web.pages.views.said import Said
from doorward.web.route import Route


class FactorPlug(Factor, frozen=True, kw_only=True):
    """A factor with routes, as supplied by the folder of the factor."""

    def routes(self, pages: BrowserPages, flow: FlowPages) -> Sequence[Route]:
        """Its sign-in pages; none if it has only shared ones. Each handler ends in `flow.follow`."""
        del pages, flow
        return ()


class FactorParts(Struct, frozen=True, kw_only=True):
    """All that the folder of a factor adds to the server. Its `parts.py` holds the value, and `authn/index.py` lists it.

    `factors` are its kinds of proof; `enrolment` its pages of setup, if it has some; `card` what the page of sign-in methods shows of it,
    `profile` what that of the profile offers; `done` what account pages report of it; `activity` its lines of the activity page; `routes` further pages; `jobs` its background
    tasks; `credential_types` what its methods are called in events for apps; `sources` other places that know passwords; `kept` its outbox in development; `starting` is awaited before a process begins to serve. `backups`: it stands in for
    others, and is made along with them.
    """

    factors: Callable[[Services], Sequence[FactorPlug]]
    enrolment: Callable[[Services], Enrolment | None] | None = None
    card: Callable[[Services], MethodCards | None] | None = None
    profile: Callable[[Services], ProfileOffers | None] | None = None
    backups: Callable[[Services], Backups] | None = None
    messages: Sequence[type[MessageTemplate]] = ()
    done: type[Said] | None = None
    activity: Sequence[ActivityKind] = ()
    credential_types: Sequence[tuple[str, str]] = ()
    routes: Callable[[Services, EnrolmentPages], Sequence[Route]] | None = None
    jobs: Callable[[Services], Sequence[BackgroundJob]] | None = None
    sources: Callable[[Services], Sequence[PasswordSource]] | None = None
    kept: Callable[[Services], Kept] | None = None
    checks: Sequence[DoctorCheck] = ()
    starting: Callable[[Services], Awaitable[None]] | None = None


class GoalPlug(Struct, frozen=True):
    """A goal of sign-ins with its pages, as supplied by a feature above the flow. `name` is that of the requests that have it
    (`AuthRequest.goal`). `responses` are for a goal that is reported to an app through the browser."""

    name: str
    goals: SignInGoals
    pages: DecisionPages
    responses: ResponsePages | None = None
