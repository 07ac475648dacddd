"""The introspection endpoint (RFC 7662 §2)."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.core.errors import Refusal
from doorward.core.ports.clock import Clock
from doorward.features.oauth.introspection.service import IntrospectionService
from doorward.web.http import Request, Response, json_response
from doorward.web.oauth_endpoint import refused, token_request
from doorward.web.route import Route, machine


@dataclass(frozen=True, slots=True, kw_only=True)
class IntrospectionEndpoint:
    """POST /introspect."""

    introspection: IntrospectionService
    clock: Clock
    url: str

    async def handle(self, request: Request) -> Response:
        """JSON for apps and APIs that proved themselves."""
        asked = await token_request(request, url=self.url, now=self.clock.now())
        answer = await self.introspection.introspect(asked)
        if isinstance(answer, Refusal):
            return refused(answer, request, now=self.clock.now())
        return json_response(answer)


def routes(*, introspection: IntrospectionService, clock: Clock, issuer: str) -> list[Route]:
    """Not for browsers: whoever may ask holds a secret."""
    endpoint = IntrospectionEndpoint(introspection=introspection, clock=clock, url=f"{issuer}/introspect")
    return [machine("/introspect", "POST", endpoint.handle)]
