"""The introspection endpoint (RFC 7662 §2)."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.actions.introspect import Introspect
from doorward.model.refusal import Refusal
from doorward.web.http import Request, Response, Route, json_response, route
from doorward.web.refusals import caller, refused


@dataclass(frozen=True, slots=True)
class IntrospectionEndpoint:
    """POST /introspect."""

    introspect: Introspect

    async def handle(self, request: Request) -> Response:
        """JSON for apps and APIs that proved themselves."""
        form = await request.form()
        answer = await self.introspect(
            form, authorization=request.header(b"authorization"), caller=caller(request)
        )
        if isinstance(answer, Refusal):
            return refused(answer, request, now=self.introspect.clock.now())
        return json_response(answer)


def routes(introspect: Introspect) -> list[Route]:
    """Not for browsers: whoever may ask holds a secret."""
    return [route("/introspect", "POST", IntrospectionEndpoint(introspect).handle)]
