"""The introspection endpoint (RFC 7662 §2)."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.core.errors import Refusal
from doorward.features.oauth.introspection.service import Introspect
from doorward.web.http import Request, Response, json_response
from doorward.web.oauth_endpoint import asked, caller, refused
from doorward.web.route import Route, machine


@dataclass(frozen=True, slots=True)
class IntrospectionEndpoint:
    """POST /introspect."""

    introspect: Introspect

    async def handle(self, request: Request) -> Response:
        """JSON for apps and APIs that proved themselves."""
        form, authorization = await asked(request)
        answer = await self.introspect(form, authorization=authorization, caller=caller(request))
        if isinstance(answer, Refusal):
            return refused(answer, request, now=self.introspect.clock.now())
        return json_response(answer)


def routes(introspect: Introspect) -> list[Route]:
    """Not for browsers: whoever may ask holds a secret."""
    return [machine("/introspect", "POST", IntrospectionEndpoint(introspect).handle)]
