"""How the services of signing in are built."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.flow.advance import Advance
from doorward.features.authn.flow.finish import Finish
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.flow.sign_ins import SignIns
from doorward.features.rate_limits.build import sign_in_starts
from doorward.features.repeated_posts.build import pages
from doorward.features.services import Services
from doorward.features.sessions.build import live_sessions, revoker
from doorward.features.sessions.signed_in_pages import SignedInPages


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


def sign_ins(services: Services) -> SignIns:
    """The sign-ins that browsers have begun."""
    return SignIns(
        store=services.store,
        random=services.random,
        policy=services.sessions,
        starts=services.get(sign_in_starts),
    )


def flow_pages(services: Services) -> FlowPages:
    """From one step of a sign-in to the next page."""
    return FlowPages(
        sign_ins=services.get(sign_ins),
        sessions=services.get(live_sessions),
        catalog=services.config,
        advance=services.get(advance),
    )


def signed_in_pages(services: Services) -> SignedInPages:
    """What makes the routes of pages for who is signed in."""
    return SignedInPages(
        pages=services.get(pages),
        sessions=services.get(live_sessions),
        sealer=services.sealer,
        flow=services.get(flow_pages),
    )
