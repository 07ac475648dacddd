"""The two answers to an address whose domain has a provider: the way there, and the page that says that there is no other."""

from __future__ import annotations

from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.flow.rules.routing import RoutedDomain
from doorward.features.sessions.browser_context import BrowserContext
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views.sign_in import RoutedAddress


async def lead(
    flow: FlowPages, browser: BrowserContext, sign_in: SignIn, routed: RoutedDomain, typed: str
) -> Response:
    """The way to the provider of a domain, for an address that somebody typed: the same whether or not anybody has it (R80)."""
    for factor in flow.factors.first:
        if (response := await factor.lead(browser, sign_in, routed, typed)) is not None:
            return response
    raise AssertionError("a domain is routed to a provider that no factor knows")


def elsewhere(browser: BrowserContext, flow: str | None, routed: RoutedDomain, typed: str) -> Response:
    """The page that says where the people of a domain sign in: nothing else is offered to them. `flow` is the sign-in's id."""
    view = RoutedAddress(
        provider=routed.provider, label=routed.label, domain=routed.domain, identifier=typed[:254], flow=flow
    )
    return page(view, browser)
