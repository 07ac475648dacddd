"""The token endpoint (OAuth 2.1 §3.2): parse, ask the action, answer. Measured: every line here is paid for by every token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from doorward.core.errors import Refusal
from doorward.core.ports.clock import Clock
from doorward.features.oauth.token.grant_type import GrantType
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.token.service import TokenService
from doorward.web.http import Request, Response, json_response
from doorward.web.oauth_endpoint import refused, token_request
from doorward.web.route import Operation, Route, machine


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEndpoint:
    """POST /token."""

    tokens: TokenService
    clock: Clock
    url: str

    async def handle(self, request: Request) -> Response:
        """Tokens for what a grant asks for, or an OAuth error (OAuth 2.1 §3.2)."""
        asked = await token_request(request, url=self.url, now=self.clock.now())
        answer = await self.tokens.exchange(asked)
        if isinstance(answer, Refusal):
            return refused(answer, request, now=self.clock.now())
        return json_response(answer)


def routes(
    *, tokens: TokenService, clock: Clock, issuer: str, grant_types: Sequence[GrantType]
) -> list[Route]:
    """Open to scripts of any origin: public apps in browsers redeem their codes here, without cookies."""
    endpoint = TokenEndpoint(tokens=tokens, clock=clock, url=f"{issuer}/token")
    names = dict.fromkeys(name for grant_type in grant_types for name in grant_type.parameters)
    operation = Operation(
        takes=" ".join(("grant_type", *names)),
        required="grant_type",
        shapes={"grant_type": {"enum": [grant_type.name for grant_type in grant_types]}},
        security="app",
        answers={200: TokenResponse},
    )
    return [machine("/token", "POST", endpoint.handle, cors=True, hot=True, operation=operation)]
