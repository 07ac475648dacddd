"""Token endpoint (OAuth 2.1 §3.2)."""

from __future__ import annotations

from collections.abc import Sequence

from doorward.core.ports.clock import Clock
from doorward.features.oauth.token.grant_type import GrantType
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.token.service import TokenService
from doorward.web.http import json_response
from doorward.web.oauth_endpoint import client_endpoint
from doorward.web.route import Operation, Route


def routes(
    *, tokens: TokenService, clock: Clock, issuer: str, grant_types: Sequence[GrantType]
) -> list[Route]:
    """POST /token. Open to scripts of any origin: public apps in browsers redeem their codes here, without cookies."""
    names = dict.fromkeys(name for grant_type in grant_types for name in grant_type.parameters)
    operation = Operation(
        summary="Tokens for what a grant asks for, or an OAuth error (OAuth 2.1 §3.2)",
        takes=" ".join(("grant_type", *names)),
        required="grant_type",
        shapes={"grant_type": {"enum": [grant_type.name for grant_type in grant_types]}},
        security="app",
        answers={200: TokenResponse},
    )
    return [
        client_endpoint(
            issuer,
            "/token",
            tokens.exchange,
            json_response,
            clock=clock,
            cors=True,
            hot=True,
            operation=operation,
        )
    ]
