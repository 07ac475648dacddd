"""Construction of the authorization endpoint's services."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.oauth.authorize.goal import AuthorizationGoals
from doorward.features.oauth.authorize.pages import AuthorizationPages
from doorward.features.oauth.authorize.service import Authorize
from doorward.features.oauth.tokens.build import id_token_hints
from doorward.features.services import Services


def authorization_goals(services: Services) -> AuthorizationGoals:
    """The goals of sign-ins that apps start."""
    return AuthorizationGoals(
        store=services.store,
        catalog=services.config,
        chance=services.random,
        record=services.get(audit_log),
        tokens=services.tokens,
        sessions=services.sessions,
        issuer=services.issuer,
    )


def authorization_pages(services: Services) -> AuthorizationPages:
    """The consent page, and the response to the app."""
    return AuthorizationPages(catalog=services.config, tokens=services.tokens)


def authorize(services: Services) -> Authorize:
    """The check of authorization requests."""
    return Authorize(
        catalog=services.config,
        id_token_hints=services.get(id_token_hints),
        issuer=services.issuer,
        remarks=services.remarks,
    )
