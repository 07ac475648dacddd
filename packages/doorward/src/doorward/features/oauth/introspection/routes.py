"""Introspection endpoint (RFC 7662 §2)."""

from __future__ import annotations

from msgspec import UNSET, UnsetType, defstruct, structs

from doorward.core.ports.clock import Clock
from doorward.features.oauth.introspection.service import IntrospectionService
from doorward.web.http import json_response
from doorward.web.oauth_endpoint import client_endpoint
from doorward.web.route import Operation, Route
from doorward_verify.claims import AccessClaims


def routes(*, introspection: IntrospectionService, clock: Clock, issuer: str) -> list[Route]:
    """POST /introspect. Not for browsers: callers need a client secret."""
    claims = [(one.name, one.type | UnsetType, UNSET) for one in structs.fields(AccessClaims)]
    answer = defstruct("Introspection", [("active", bool), ("token_type", str | UnsetType, UNSET), *claims])
    operation = Operation(
        summary="What is known of a token, for apps and APIs that proved themselves (RFC 7662)",
        takes="token token_type_hint caller_address",
        required="token",
        security="app",
        answers={200: answer},
    )
    return [
        client_endpoint(
            issuer,
            "/introspect",
            introspection.introspect,
            json_response,
            clock=clock,
            operation=operation,
        )
    ]
