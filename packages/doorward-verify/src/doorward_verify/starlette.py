"""Starlette integration: `ResourceServer` with `principal(request, …)`, `requires(…)`, `routes()`, `lifespan`."""

from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from doorward_verify.auth_error import AuthError
from doorward_verify.cookie import CSRF_HEADER, RequestCredentials
from doorward_verify.demands import Demand, demand
from doorward_verify.principal import Principal
from doorward_verify.resource_server import ResourceServer as FrameworkFree

Endpoint = Callable[[Request], Awaitable[Response]]
METADATA_METHODS: Final = ("GET", "OPTIONS")
_METADATA_HEADERS: Final = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}
# Clients in browsers send headers of their own, for example MCP-Protocol-Version, and then ask first (Fetch §3.3).
_PREFLIGHT_HEADERS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "7200",
}


class StarletteResourceServer(FrameworkFree):
    """`doorward_verify.ResourceServer` that reads Starlette's requests and answers with the correct challenges."""

    async def principal(
        self,
        request: HTTPConnection,
        *,
        scopes: Iterable[str] = (),
        roles: Iterable[str] = (),
        permissions: Iterable[str] = (),
        acr: Iterable[str] = (),
        max_age: int | None = None,
    ) -> Principal:
        """Return the principal if it meets the requirements. Raises `HTTPException` with the challenge (401,
        403 or 503)."""
        asked = demand(scopes=scopes, roles=roles, permissions=permissions, acr=acr, max_age=max_age)
        return await self.admit(request, asked)

    async def admit(self, request: HTTPConnection, asked: Demand) -> Principal:
        """`principal` for an existing `Demand`."""
        try:
            address = None if request.client is None else request.client.host
            principal = await self.verify_async(self.token_of(asked_of(request)), address=address)
            self.check(principal, asked)
        except AuthError as refused:
            raise self.as_http(refused.asking_for(self.scopes_at(request, asked))) from refused
        request.scope.setdefault("state", {})["principal"] = principal
        return principal

    def scopes_at(self, request: HTTPConnection, asked: Demand) -> tuple[str, ...]:
        """All scopes that a client needs for this request, for its challenge; here those of `asked`."""
        del request
        return asked.scopes

    def as_http(self, refused: AuthError) -> HTTPException:
        """The refusal as an exception that Starlette turns into a response."""
        answer = self.challenge(refused)
        return HTTPException(answer.status, detail=answer.body["error_description"], headers=answer.headers)

    def requires(
        self,
        *,
        scopes: Iterable[str] = (),
        roles: Iterable[str] = (),
        permissions: Iterable[str] = (),
        acr: Iterable[str] = (),
        max_age: int | None = None,
    ) -> Callable[[Endpoint], Endpoint]:
        """Decorate an endpoint: it runs only for a principal that meets all requirements, as
        `request.state.principal`."""
        asked = demand(scopes=scopes, roles=roles, permissions=permissions, acr=acr, max_age=max_age)

        def decorate(endpoint: Endpoint) -> Endpoint:
            @wraps(endpoint)
            async def guarded(request: Request) -> Response:
                await self.admit(request, asked)
                return await endpoint(request)

            return guarded

        return decorate

    def routes(self) -> list[Route]:
        """The route of this API's metadata, RFC 9728 §3, for callers of any origin: `routes=[…, *auth.routes()]`."""

        async def protected_resource(request: Request) -> Response:
            return self.metadata_response(request.method)

        return [
            Route(path, protected_resource, methods=METADATA_METHODS, include_in_schema=False)
            for path in self.metadata_paths
        ]

    def metadata_response(self, method: str) -> Response:
        """The answer to GET, HEAD or OPTIONS (the preflight of a browser) at `metadata_paths`."""
        if method == "OPTIONS":
            return Response(status_code=204, headers=_PREFLIGHT_HEADERS)
        return JSONResponse(self.metadata(), headers=_METADATA_HEADERS)


def asked_of(request: HTTPConnection) -> RequestCredentials:
    """The parts of a request that authentication reads."""
    headers = request.headers
    scheme = {"ws": "http", "wss": "https"}.get(request.url.scheme, request.url.scheme)
    return RequestCredentials(
        method=request.scope.get("method", "WEBSOCKET"),
        own_origin=f"{scheme}://{headers.get('host', '')}",
        authorization=tuple(headers.getlist("authorization")),
        cookies=tuple(headers.getlist("cookie")),
        origin=headers.get("origin"),
        csrf_token=headers.get(CSRF_HEADER),
        query=request.url.query,
    )
