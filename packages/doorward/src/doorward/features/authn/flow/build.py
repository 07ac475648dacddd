"""How the services of signing in are built."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.flow.advance import Advance
from doorward.features.authn.flow.finish import Finish
from doorward.features.authn.flow.page_pipeline import Arrival
from doorward.features.authn.flow.routes import Steps
from doorward.features.rate_limits.build import sign_in_starts
from doorward.features.services import Services
from doorward.features.sessions.build import browser_contexts, revoker


def finish(services: Services) -> Finish:
    """The end of a sign-in."""
    return Finish(
        store=services.store,
        chance=services.random,
        postman=services.mail,
        ending=services.get(revoker),
        record=services.get(audit_log),
        meter=services.metrics,
        tokens=services.tokens,
        sessions=services.sessions,
        issuer=services.issuer,
    )


def advance(services: Services) -> Advance:
    """What a sign-in needs next."""
    return Advance(
        store=services.store,
        catalog=services.config,
        finish=services.get(finish),
        tokens=services.tokens,
        issuer=services.issuer,
    )


def steps(services: Services) -> Steps:
    """Which page a sign-in is at."""
    return Steps(
        store=services.store,
        chance=services.random,
        catalog=services.config,
        advance=services.get(advance),
        sessions=services.sessions,
        issuer=services.issuer,
        begun=services.get(sign_in_starts),
    )


def pages(services: Services) -> Arrival:
    """What every page of a sign-in begins with."""
    return Arrival(
        visitors=services.get(browser_contexts),
        steps=services.get(steps),
        catalog=services.config,
        sealer=services.sealer,
    )
