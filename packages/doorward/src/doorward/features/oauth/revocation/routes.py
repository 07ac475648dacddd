"""Revocation endpoint (RFC 7009 §2)."""

from __future__ import annotations

from doorward.core.ports.clock import Clock
from doorward.features.oauth.revocation.service import RevocationService
from doorward.web.http import Response
from doorward.web.oauth_endpoint import client_endpoint
from doorward.web.route import Operation, Route


def _done(_: None) -> Response:
    return Response(200, [(b"cache-control", b"no-store")])


def routes(*, revocation: RevocationService, clock: Clock, issuer: str) -> list[Route]:
    """POST /revoke. Open to scripts of any origin, as public apps in browsers sign out here (§5)."""
    operation = Operation(
        summary="End a token (RFC 7009): 200 and an empty body once it holds no longer, or never did (§2.2)",
        takes="token token_type_hint",
        required="token",
        security="app",
    )
    return [
        client_endpoint(
            issuer, "/revoke", revocation.revoke, _done, clock=clock, cors=True, operation=operation
        )
    ]
