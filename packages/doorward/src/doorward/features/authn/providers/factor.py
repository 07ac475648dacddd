"""Accounts at external providers in the sign-in flow: a first factor for which the provider vouches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.flow.factor import PROVIDER_PATH
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.flow.rules.routing import RoutedDomain
from doorward.features.authn.flow.rules.standing import stands_by
from doorward.features.authn.providers.build import deletion_endpoints, provider_pages
from doorward.features.authn.providers.marks import mark_of
from doorward.features.authn.providers.rules.identity import (
    EXTERNAL,
    PROVIDED,
    PROVIDED_TWICE,
    counting_marks,
)
from doorward.features.authn.providers.settings import ProviderPolicies
from doorward.features.authn.providers.views import LINK
from doorward.features.services import Services
from doorward.features.sessions.browser_context import BrowserContext, BrowserPages
from doorward.web.http import Response
from doorward.web.pages.views.sign_in import ProviderButton
from doorward.web.route import Route


class _Provided(FactorPlug, frozen=True, kw_only=True):
    """What both kinds of proof share."""

    services: Services
    path: str = PROVIDER_PATH

    def enrolled(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether the person has connected an account of a provider that is still in the settings."""
        del account
        return bool(self._offered(rows))

    def stands(self, proof: Proof, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether the connection is still there, and its provider in the settings (R94)."""
        del account
        return stands_by(proof, self._offered(rows), {EXTERNAL})

    def _offered(self, rows: Sequence[EnrolledFactor]) -> list[EnrolledFactor]:
        sections = self.services.sections.of(ProviderPolicies).by_name.values()
        marks = {mark for one in sections for mark in counting_marks(one)}
        return [row for row in rows if row.kind == EXTERNAL and row.code_hash in marks]


@final
class ProviderFactor(_Provided, frozen=True, kw_only=True):
    """A sign-in at a provider of which no more is known than that it took place."""

    traits: FactorTraits = PROVIDED
    link: str = LINK

    def buttons(self) -> Sequence[ProviderButton]:
        """One for each provider."""
        return [
            ProviderButton(name, one.label, mark_of(one.provider_service()))
            for name, one in self.services.sections.of(ProviderPolicies).by_name.items()
        ]

    def names(self, account: Account, rows: Sequence[EnrolledFactor], locale: str) -> Sequence[str]:
        """The services that are connected, and still offered."""
        del account, locale
        held = {row.code_hash for row in rows if row.kind == EXTERNAL}
        sections = self.services.sections.of(ProviderPolicies).by_name.values()
        return [one.label for one in sections if not held.isdisjoint(counting_marks(one))]

    async def lead(
        self, browser: BrowserContext, sign_in: SignIn, routed: RoutedDomain, typed: str
    ) -> Response | None:
        """To the provider of the domain, which gets the address as a hint."""
        return await self.services.get(provider_pages).lead(browser, sign_in, routed.provider, typed)

    def routes(self, pages: BrowserPages, flow: FlowPages) -> Sequence[Route]:
        """The pages of both kinds."""
        del flow
        deleted = [route for one in self.services.get(deletion_endpoints) for route in one.page_routes(pages)]
        return [*self.services.get(provider_pages).routes(pages), *deleted]


@final
class ProviderTwoFactors(_Provided, frozen=True, kw_only=True):
    """A sign-in at a provider with two factors, where the operator trusts it to say so. Nobody is asked for it: whether a person has a second
    factor there is not known."""

    traits: FactorTraits = PROVIDED_TWICE
    link: str = LINK

    def enrolled(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """False: it counts when it is shown, and is never required."""
        del account, rows
        return False


def provider_factors(services: Services) -> tuple[FactorPlug, ...]:
    """Both kinds of proof; none where the settings name no provider."""
    if not services.sections.of(ProviderPolicies).by_name:
        return ()
    return ProviderFactor(services=services), ProviderTwoFactors(services=services)
