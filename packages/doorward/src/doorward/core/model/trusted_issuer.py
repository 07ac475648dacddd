"""Trusted issuer: whose assertions the token endpoint accepts, and what it gives for them (RFC 7523 §2.1)."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct, field

JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
"""The grant type (RFC 7523 §2.1)."""
ISSUER_PREFIX: Final = "tis"
"""Begins the ids of trusted issuers, and so the jti of the tokens for their assertions. Stored in entries of the revocation view."""


class IssuerRule(Struct, frozen=True, kw_only=True):
    """An assertion whose claims are exactly `claims` is worth the app `client_id`.

    A name that begins with "/" is a JSON Pointer into nested claims (RFC 6901), every other one the claim itself. `access` narrows what
    the app may do: API identifier -> permission names; empty: all that the app may.
    """

    name: str
    client_id: str
    claims: dict[str, str]
    access: dict[str, tuple[str, ...]] = field(default_factory=dict)


class TrustedIssuer(Struct, frozen=True, kw_only=True):
    """One issuer, for workloads (`rules`), for people by ID-JAG (`id_jag`), or both. Durations are in seconds.

    `grant_id` (`tis_…`) is the first part of the jti of every token issued for its assertions, so that one revocation entry ends
    them all. `revision` grows with every change. Keys come from `jwks` (pinned), else from `jwks_uri`, else by discovery at `issuer`.
    `audiences`: the accepted values of `aud`; empty: this server's issuer alone. `tolerance`: how far its clock may be
    ahead. `max_lifetime`: the longest time between the making and the expiry of an assertion. `single_use`: an assertion is
    accepted once. `token_ttl`: the longest life of the access tokens; `within_assertion`: none outlives its assertion.
    """

    id: str
    name: str
    issuer: str
    grant_id: str
    created_at: int
    revision: int = 0
    preset: str = "custom"
    jwks_uri: str | None = None
    jwks: dict[str, Any] | None = None
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    audiences: tuple[str, ...] = ()
    tolerance: int = 10
    max_lifetime: int = 3600
    single_use: bool = True
    token_ttl: int = 300
    within_assertion: bool = False
    id_jag: bool = False
    rules: tuple[IssuerRule, ...] = ()
    disabled_at: int | None = None
