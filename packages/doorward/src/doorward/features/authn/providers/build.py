"""Construction of the services for accounts at external providers. Their modules are loaded where the settings name a provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from doorward.core.login_name import normalise_domain
from doorward.core.ports.clock import Clock
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.build import audit_log
from doorward.features.authn.addresses.build import prove_address
from doorward.features.authn.flow.build import (
    flow_pages,
    new_accounts,
    offered_factors,
    routed_domains,
    signed_in_pages,
)
from doorward.features.authn.flow.enrolment import EnrolmentPages
from doorward.features.authn.flow.rules.routing import DomainRoutes, RoutedDomain
from doorward.features.authn.providers.dropping import DropConnections
from doorward.features.authn.providers.settings import ENDPOINTS, ProviderPolicies
from doorward.features.authn.providers.sign_out_there import ProviderSignOut
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services
from doorward.features.sessions.build import revoker
from doorward.web.route import Route

if TYPE_CHECKING:
    from doorward.features.authn.providers.cards import ProviderCards
    from doorward.features.authn.providers.connecting import ConnectIdentities
    from doorward.features.authn.providers.deletion_routes import DeletionEndpoints
    from doorward.features.authn.providers.openid import OpenIdProvider
    from doorward.features.authn.providers.provider import IdentityProvider
    from doorward.features.authn.providers.routes import ProviderPages
    from doorward.features.authn.providers.signing_in import ProviderSignIn
    from doorward.features.authn.providers.upstream_logout import ProviderLogout

TIMEOUT: Final = 10
"""Seconds for one call: somebody waits in front of a page."""


def identity_providers(services: Services) -> Mapping[str, IdentityProvider]:
    """The providers of the settings, by name and in their order."""
    return providers_of(
        services.sections.of(ProviderPolicies),
        issuer=services.issuer,
        clock=services.clock,
        random=services.random,
        development=services.development,
        ca_file=services.ca_file,
    )


def providers_of(
    policies: ProviderPolicies,
    *,
    issuer: str,
    clock: Clock,
    random: SecureRandom,
    development: bool,
    ca_file: str | None,
) -> Mapping[str, IdentityProvider]:
    """The same, for commands that open no database."""
    if not policies.by_name:
        return {}
    from doorward.adapters.http_client import http_for_documents
    from doorward.adapters.keys.client_key import client_key
    from doorward.features.authn.providers.documents import ProviderDocuments
    from doorward.features.authn.providers.oauth2 import OAuth2Provider
    from doorward.features.authn.providers.openid import OpenIdProvider
    from doorward.features.authn.providers.routes import callback_path
    from doorward.features.authn.providers.services.oauth2 import OAuth2Service

    found: dict[str, IdentityProvider] = {}
    for name, policy in policies.by_name.items():
        service, redirect_uri = policy.provider_service(), f"{issuer}{callback_path(name)}"
        # the settings name these hosts; whatever metadata names has to be public, or be named as well
        named = {
            urlsplit(url).hostname
            for url in (policy.issuer, *(str(getattr(policy, endpoint)) for endpoint in ENDPOINTS))
        }
        http = http_for_documents(
            {*named, *policy.private_hosts}, timeout=TIMEOUT, development=development, ca_file=ca_file
        )
        if isinstance(service, OAuth2Service):
            found[name] = OAuth2Provider(
                name=name, policy=policy, service=service, redirect_uri=redirect_uri, http=http
            )
            continue
        found[name] = OpenIdProvider(
            name=name,
            policy=policy,
            service=service,
            redirect_uri=redirect_uri,
            documents=ProviderDocuments(
                name=name,
                policy=policy,
                service=service,
                http=http,
                clock=clock,
                development=development,
            ),
            http=http,
            clock=clock,
            random=random,
            key=client_key(policy.client_key_file, service.secret_alg) if policy.client_key_file else None,
        )
    return found


def connect_identities(services: Services) -> ConnectIdentities:
    """The service that connects accounts, and disconnects them."""
    from doorward.features.authn.providers.connecting import ConnectIdentities

    return ConnectIdentities(
        store=services.store,
        random=services.random,
        accounts=services.get(new_accounts),
        factors=services.get(offered_factors),
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        mail_queue=services.mail,
        revoker=services.get(revoker),
    )


def drop_connections(services: Services) -> DropConnections:
    """The service that shows and drops the connections of a person who resets their password."""
    return DropConnections(
        store=services.store,
        policies=services.sections.of(ProviderPolicies).by_name,
        mail_queue=services.mail,
        audit_log=services.get(audit_log),
    )


def provider_cards(services: Services) -> ProviderCards | None:
    """What the page of sign-in methods shows; None where the settings name no provider."""
    if not services.sections.of(ProviderPolicies).by_name:
        return None
    from doorward.features.authn.providers.cards import ProviderCards

    return ProviderCards(
        identities=services.get(connect_identities), providers=services.get(identity_providers)
    )


def provider_sign_in(services: Services) -> ProviderSignIn:
    """The service of the way there and back."""
    from doorward.features.authn.providers.first_sign_in import FirstSignIn
    from doorward.features.authn.providers.mapping import ProviderMapping
    from doorward.features.authn.providers.signing_in import ProviderSignIn
    from doorward.features.authn.providers.state import ProviderStates

    mapping = ProviderMapping(
        store=services.store,
        config=services.config,
        audit_log=services.get(audit_log),
        revoker=services.get(revoker),
    )
    return ProviderSignIn(
        store=services.store,
        providers=services.get(identity_providers),
        states=ProviderStates(store=services.store, sealer=services.sealer, random=services.random),
        identities=services.get(connect_identities),
        first=FirstSignIn(
            store=services.store,
            identities=services.get(connect_identities),
            routes=services.get(routed_domains),
            addresses=services.get(prove_address),
            mapping=mapping,
        ),
        mapping=mapping,
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        metrics=services.metrics,
    )


def provider_pages(services: Services) -> ProviderPages:
    """The sign-in pages."""
    from doorward.features.authn.providers.answers import SealedAnswers
    from doorward.features.authn.providers.routes import ProviderPages, SaidOnce

    return ProviderPages(
        flow=services.get(flow_pages),
        own=services.get(signed_in_pages),
        signing_in=services.get(provider_sign_in),
        said=SaidOnce(sealer=services.sealer),
        answers=SealedAnswers(sealer=services.sealer, clock=services.clock),
    )


def provider_logout(services: Services) -> ProviderLogout:
    """The service that ends sessions for providers."""
    from doorward.features.authn.providers.upstream_logout import ProviderLogout

    return ProviderLogout(
        store=services.store,
        providers=_openid_providers(services),
        revoker=services.get(revoker),
        audit_log=services.get(audit_log),
    )


def _openid_providers(services: Services) -> Mapping[str, OpenIdProvider]:
    providers = services.get(identity_providers)
    if not providers:
        return {}
    from doorward.features.authn.providers.openid import OpenIdProvider

    return {name: one for name, one in providers.items() if isinstance(one, OpenIdProvider)}


def deletion_endpoints(services: Services) -> Sequence[DeletionEndpoints]:
    """The endpoints of the services that ask for deletions."""
    if not services.get(identity_providers):
        return ()
    from doorward.features.authn.providers.data_deletion import DataDeletions
    from doorward.features.authn.providers.deletion_routes import DeletionEndpoints
    from doorward.features.authn.providers.oauth2 import OAuth2Provider

    found = {
        name: one
        for name, one in services.get(identity_providers).items()
        if isinstance(one, OAuth2Provider) and one.service.asks_deletion
    }
    deletions = DataDeletions(
        store=services.store,
        providers=found,
        factors=services.get(offered_factors),
        revoker=services.get(revoker),
        audit_log=services.get(audit_log),
        mail_queue=services.mail,
        sealer=services.sealer,
        random=services.random,
    )
    return [
        DeletionEndpoints(name=name, deletions=deletions, issuer=services.issuer, clock=services.clock)
        for name in found
    ]


def provider_sign_out(services: Services) -> ProviderSignOut:
    """The service that leads to a provider's own log-out."""
    return ProviderSignOut(
        store=services.store,
        providers=_openid_providers(services),
        sealer=services.sealer,
        issuer=services.issuer,
    )


def connected_account_routes(services: Services, enrolling: EnrolmentPages) -> Sequence[Route]:
    """The account pages, and where providers say that a session has ended; none where the settings name no provider."""
    cards = services.get(provider_cards)
    if cards is None:
        return ()
    from doorward.features.authn.providers.account_routes import ConnectedAccountPages
    from doorward.features.authn.providers.routes import SaidOnce
    from doorward.features.authn.providers.upstream_logout_routes import back_channel_routes

    pages = ConnectedAccountPages(
        own=enrolling.own,
        flow=enrolling.flow,
        signing_in=services.get(provider_sign_in),
        cards=cards,
        said=SaidOnce(sealer=services.sealer),
    )
    logout = back_channel_routes(services.get(provider_logout), services.clock)
    deletions = [route for one in services.get(deletion_endpoints) for route in one.machine_routes()]
    back = services.get(provider_sign_out).routes(services.get(signed_in_pages).pages)
    return [*pages.routes(), *logout, *deletions, *back]


def domain_routes(services: Services) -> DomainRoutes:
    """The domains of all sections, whose people sign in at a provider."""
    found: dict[str, RoutedDomain] = {}
    for name, policy in services.sections.of(ProviderPolicies).by_name.items():
        for text in policy.domains:
            if (domain := normalise_domain(text)) is not None:
                found[domain] = RoutedDomain(
                    domain=domain, provider=name, label=policy.label, only=policy.only
                )
    return DomainRoutes(found)
