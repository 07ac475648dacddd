"""The introspection endpoint (RFC 7662 §2)."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import UNSET, UnsetType, defstruct, structs

from doorward.core.errors import Refusal
from doorward.core.ports.clock import Clock
from doorward.features.oauth.introspection.service import IntrospectionService
from doorward.web.http import Request, Response, json_response
from doorward.web.oauth_endpoint import refused, token_request
from doorward.web.route import Operation, Route, machine
from doorward_verify.claims import AccessClaims


@dataclass(frozen=True, slots=True, kw_only=True)
class IntrospectionEndpoint:
    """POST /introspect."""

    introspection: IntrospectionService
    clock: Clock
    url: str

    async def handle(self, request: Request) -> Response:
        """What is known of a token, for apps and APIs that proved themselves (RFC 7662)."""
        asked = await token_request(request, url=self.url, now=self.clock.now())
        answer = await self.introspection.introspect(asked)
        if isinstance(answer, Refusal):
            return refused(answer, request, now=self.clock.now())
        return json_response(answer)


def routes(*, introspection: IntrospectionService, clock: Clock, issuer: str) -> list[Route]:
    """Not for browsers: whoever may ask holds a secret."""
    endpoint = IntrospectionEndpoint(introspection=introspection, clock=clock, url=f"{issuer}/introspect")
    claims = [(one.name, one.type | UnsetType, UNSET) for one in structs.fields(AccessClaims)]
    answer = defstruct("Introspection", [("active", bool), ("token_type", str | UnsetType, UNSET), *claims])
    operation = Operation(
        takes="token token_type_hint", required="token", security="app", answers={200: answer}
    )
    return [machine("/introspect", "POST", endpoint.handle, operation=operation)]
