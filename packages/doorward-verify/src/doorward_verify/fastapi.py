"""FastAPI integration: one object for dependencies, OpenAPI, overrides, challenges and the app's lifespan."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Security
from fastapi.openapi.models import OpenIdConnect
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from doorward_verify.algorithms import ISSUED
from doorward_verify.auth_error import AuthError
from doorward_verify.demands import Demand, demand
from doorward_verify.principal import Principal
from doorward_verify.starlette import StarletteResourceServer as ForStarlette

__all__ = ["FastAPIResourceServer", "Principal"]


class FastAPIResourceServer(ForStarlette, SecurityBase):
    """`doorward_verify.ResourceServer` as a FastAPI dependency.

    `Annotated[Principal, Security(auth, scopes=["orders:read"])]` requires a scope, `Annotated[Principal,
    auth.require(roles=["clerk"])]` other requirements; `app.dependency_overrides[auth]` replaces both in
    tests. The parameters are those of `doorward_verify.ResourceServer`; `scheme_name` is the name in OpenAPI.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        algorithms: Collection[str] = ISSUED,
        jwks: Path | Mapping[str, Any] | None = None,
        scheme_name: str = "doorward",
        **settings: Any,
    ) -> None:
        super().__init__(issuer, audience, algorithms=algorithms, jwks=jwks, **settings)
        self.scheme_name = scheme_name
        self.model = OpenIdConnect(
            openIdConnectUrl=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
            description=f"Access tokens of {issuer} for {audience}",
        )

    async def __call__(self, request: HTTPConnection, security_scopes: SecurityScopes) -> Principal:
        return await self.admit(request, Demand(scopes=tuple(security_scopes.scopes)))

    def require(
        self,
        *,
        scopes: Iterable[str] = (),
        roles: Iterable[str] = (),
        permissions: Iterable[str] = (),
        acr: Iterable[str] = (),
        max_age: int | None = None,
    ) -> Any:
        """A dependency marker for `Annotated`: a principal that meets all these requirements. It depends on
        `auth`, so its scopes appear in OpenAPI and `dependency_overrides[auth]` covers it. An overriding
        principal is still checked here."""
        asked = demand(scopes=scopes, roles=roles, permissions=permissions, acr=acr, max_age=max_age)
        return Security(self._checked(asked))

    def scopes_at(self, request: HTTPConnection, asked: Demand) -> tuple[str, ...]:
        """The scopes of all dependencies of the route, because the first one that refuses answers for all of them."""
        return tuple(dict.fromkeys((*asked.scopes, *self._of_route(request))))

    def _of_route(self, request: HTTPConnection) -> Iterator[str]:
        level: list[Any] = [getattr(request.scope.get("route"), "dependant", None)]
        while level:
            dependant = level.pop()
            if getattr(dependant, "call", None) is self:
                yield from getattr(dependant, "parent_oauth_scopes", None) or ()
                yield from getattr(dependant, "own_oauth_scopes", None) or ()
            level.extend(getattr(dependant, "dependencies", ()))

    def _checked(self, asked: Demand) -> Callable[..., Awaitable[Principal]]:
        async def require(
            request: HTTPConnection,
            principal: Annotated[Principal, Security(self, scopes=list(asked.scopes))],
        ) -> Principal:
            try:
                self.check(principal, asked)
            except AuthError as refused:
                raise self.as_http(refused.asking_for(self.scopes_at(request, asked))) from refused
            return principal

        return require

    @property
    def router(self) -> APIRouter:
        """The route of this API's metadata, RFC 9728 §3: `app.include_router(auth.router)`."""
        return APIRouter(routes=[*self.routes()])
