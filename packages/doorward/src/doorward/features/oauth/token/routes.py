"""The token endpoint (OAuth 2.1 §3.2): parse, ask the action, answer. Measured: every line here is paid for by every token."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.core.errors import Refusal
from doorward.features.oauth.token.service import ExchangeToken
from doorward.web.http import Request, Response, json_response
from doorward.web.oauth_endpoint import asked, caller, refused
from doorward.web.route import Route, machine


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """POST /token."""

    exchange: ExchangeToken

    async def handle(self, request: Request) -> Response:
        """Parameters come from the body alone: what stands in a URL ends up in logs (OAuth 2.1 §3.2.2)."""
        form, authorization = await asked(request)
        answer = await self.exchange(form, authorization=authorization, caller=caller(request))
        if isinstance(answer, Refusal):
            return refused(answer, request, now=self.exchange.clock.now())
        return json_response(answer)


def routes(exchange: ExchangeToken) -> list[Route]:
    """Open to scripts of any origin: public apps in browsers redeem their codes here, without cookies."""
    return [machine("/token", "POST", TokenEndpoint(exchange).handle, cors=True, hot=True)]
