"""Construction of the JWT bearer grant, and its entry for the token endpoint (RFC 7523 §2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.core.model.trusted_issuer import JWT_BEARER as NAME
from doorward.features.oauth.token.grant_type import GrantType
from doorward.features.oauth.tokens.rules.id_jag import PROFILE

if TYPE_CHECKING:
    from doorward.core.model.trusted_issuer import TrustedIssuer
    from doorward.core.ports.clock import Clock
    from doorward.features.oauth.grants.jwt_bearer.keys import IssuerKeys
    from doorward.features.oauth.grants.jwt_bearer.service import JwtBearerGrant
    from doorward.features.services import Services


def issuer_keys_with(*, clock: Clock, development: bool, ca_file: str | None) -> IssuerKeys:
    """The keys of trusted issuers, for commands that open no container."""
    from doorward.adapters.http_client import GuardedHttp, http_for_documents
    from doorward.features.oauth.grants.jwt_bearer.keys import TIMEOUT, IssuerKeys, named_hosts

    def http(issuer: TrustedIssuer) -> GuardedHttp:
        return http_for_documents(
            named_hosts(issuer), timeout=TIMEOUT, development=development, ca_file=ca_file
        )

    return IssuerKeys(clock=clock, http=http)


def issuer_keys(services: Services) -> IssuerKeys:
    """The keys of trusted issuers."""
    return issuer_keys_with(clock=services.clock, development=services.development, ca_file=services.ca_file)


def jwt_bearer(services: Services) -> JwtBearerGrant:
    """The grant's service."""
    from doorward.features.audit.build import audit_log
    from doorward.features.authn.flow.build import offered_factors
    from doorward.features.oauth.grants.jwt_bearer.service import JwtBearerGrant
    from doorward.features.oauth.grants.jwt_bearer.told import Told
    from doorward.features.oauth.tokens.build import token_issuer
    from doorward.features.rate_limits.build import client_failures

    return JwtBearerGrant(
        store=services.store,
        config=services.config,
        tokens=services.get(token_issuer),
        keys=services.get(issuer_keys),
        metrics=services.metrics,
        audit_log=services.get(audit_log),
        failures=services.get(client_failures),
        told=Told(),
        second_factor=services.second_factor,
        enrolled=services.get(offered_factors).second_factor,
    )


JWT_BEARER = GrantType(
    name=NAME,
    parameters=("assertion", "scope", "resource"),
    build=jwt_bearer,
    build_alone=jwt_bearer,
    profiles=(PROFILE,),
)
