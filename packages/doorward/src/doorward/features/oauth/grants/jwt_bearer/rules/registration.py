"""Registration rules for trusted issuers and their rules. Every function returns the problem, or None."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from doorward.core.model.client import Client
from doorward.core.model.problem import Problem, problem
from doorward.core.model.trusted_issuer import JWT_BEARER, IssuerRule, TrustedIssuer
from doorward.features.oauth.clients.rules import key_strength
from doorward.features.oauth.clients.rules.registration import name_problem, web_address_problem
from doorward.features.oauth.clients.rules.resource import same
from doorward.features.oauth.grants.jwt_bearer.rules.presets import missing

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA")
TOLERANCE: Final = (10, 60)
MAX_LIFETIME: Final = (60, 86_400)
TOKEN_TTL: Final = (10, 3600)
"""Least and most seconds of each duration. R23: 10 s ahead must be accepted, more than 60 s must not."""
MOST_RULES: Final = 200
MOST_CLAIMS: Final = 20
_NAME: Final = re.compile(r"[A-Za-z0-9/_.:~-]{1,200}")
_VALUE: Final = re.compile(r"[^\x00-\x1f\x7f]{1,500}")
_AUDIENCE: Final = re.compile(r"[\x21-\x7E]{1,500}")
_RULE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def issuer_problem(issuer: TrustedIssuer, *, own: str) -> Problem | None:
    """Check an issuer without its rules. `own` is this server's issuer: its own tokens are no assertions (draft ID-JAG §8.3)."""
    if found := name_problem(issuer.name, prefix="tis"):
        return found
    for member, address in (("issuer", issuer.issuer), ("jwks_uri", issuer.jwks_uri)):
        if address is not None and (found := web_address_problem(address, member=member)):
            return found
    if urlsplit(issuer.issuer).query:
        return problem("uri_character", member="issuer", uri=issuer.issuer)
    if same(issuer.issuer.rstrip("/"), own.rstrip("/")):
        return problem("issuer_of_server", issuer=issuer.issuer)
    if issuer.jwks is not None:
        if issuer.jwks_uri is not None:
            return problem("issuer_keys_twice")
        if not issuer.jwks.get("keys"):
            return problem("jwks_missing")
        if weak := key_strength.first_unusable(issuer.jwks):
            return problem("jwks_unusable", number=weak[0], reason=weak[1])
    if not issuer.algorithms or any(name not in ALGORITHMS for name in issuer.algorithms):
        return problem("issuer_algorithm_unknown", given=issuer.algorithms, known=ALGORITHMS)
    for audience in issuer.audiences:
        if not _AUDIENCE.fullmatch(audience) or "*" in audience:
            return problem("issuer_audience_invalid", audience=audience)
    for member, value, (least, most) in (
        ("tolerance", issuer.tolerance, TOLERANCE),
        ("max_lifetime", issuer.max_lifetime, MAX_LIFETIME),
        ("token_ttl", issuer.token_ttl, TOKEN_TTL),
    ):
        if not least <= value <= most:
            return problem("out_of_range", member=member, value=value, least=least, most=most)
    return None


def rule_problem(rule: IssuerRule, issuer: TrustedIssuer, client: Client) -> Problem | None:
    """Check one rule of an issuer: exact claims that single out a workload, and an app that may use the grant."""
    if not _RULE.fullmatch(rule.name):
        return problem("issuer_rule_name_invalid", rule=rule.name)
    if found := _claims_problem(rule.claims):
        return found
    lacking = missing(issuer.preset, rule.claims.keys())
    if lacking:
        return problem("issuer_rule_weak", rule=rule.name, preset=issuer.preset, missing=lacking)
    if JWT_BEARER not in client.grant_types:
        return problem("issuer_app_without_grant", app=client.name, grant_type=JWT_BEARER)
    for api, names in rule.access.items():
        beyond = tuple(name for name in names if name not in client.access.get(api, ()))
        if beyond:
            return problem("issuer_access_beyond_app", app=client.name, api=api, permissions=beyond)
    return None


def _claims_problem(claims: Mapping[str, str]) -> Problem | None:
    if not 0 < len(claims) <= MOST_CLAIMS:
        return problem("out_of_range", member="claims", value=len(claims), least=1, most=MOST_CLAIMS)
    for name, value in claims.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return problem("issuer_claim_invalid", claim=name)
        if "*" in value:
            return problem("issuer_claim_pattern", claim=name, value=value)
    return None
