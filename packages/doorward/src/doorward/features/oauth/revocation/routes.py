"""The revocation endpoint (RFC 7009 §2)."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.core.ports.clock import Clock
from doorward.features.oauth.revocation.service import RevocationService
from doorward.web.http import Request, Response
from doorward.web.oauth_endpoint import refused, token_request
from doorward.web.route import Operation, Route, machine


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationEndpoint:
    """POST /revoke."""

    revocation: RevocationService
    clock: Clock
    url: str

    async def handle(self, request: Request) -> Response:
        """End a token (RFC 7009): 200 and an empty body once it holds no longer, or never did (§2.2)."""
        asked = await token_request(request, url=self.url, now=self.clock.now())
        refusal = await self.revocation.revoke(asked)
        if refusal is not None:
            return refused(refusal, request, now=self.clock.now())
        return Response(200, [(b"cache-control", b"no-store")])


def routes(*, revocation: RevocationService, clock: Clock, issuer: str) -> list[Route]:
    """Open to scripts of any origin, as public apps in browsers sign out here (§5)."""
    endpoint = RevocationEndpoint(revocation=revocation, clock=clock, url=f"{issuer}/revoke")
    operation = Operation(takes="token token_type_hint", required="token", security="app")
    return [machine("/revoke", "POST", endpoint.handle, cors=True, operation=operation)]
