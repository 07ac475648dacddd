"""The revocation endpoint (RFC 7009 §2)."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.features.oauth.revocation.service import RevokeToken
from doorward.web.http import Request, Response
from doorward.web.oauth_endpoint import asked, caller, refused
from doorward.web.route import Route, machine


@dataclass(frozen=True, slots=True)
class RevocationEndpoint:
    """POST /revoke."""

    revoke: RevokeToken

    async def handle(self, request: Request) -> Response:
        """200 and an empty body once the token holds no longer, or never did (§2.2)."""
        form, authorization = await asked(request)
        refusal = await self.revoke(form, authorization=authorization, caller=caller(request))
        if refusal is not None:
            return refused(refusal, request, now=self.revoke.clock.now())
        return Response(200, [(b"cache-control", b"no-store")])


def routes(revoke: RevokeToken) -> list[Route]:
    """Open to scripts of any origin, as public apps in browsers sign out here (§5)."""
    return [machine("/revoke", "POST", RevocationEndpoint(revoke).handle, cors=True)]
