"""Starlette integration: principals, decorators, challenges, metadata, lifespan."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from doorward_verify.starlette import StarletteResourceServer
from doorward_verify.testing import TokenMint
from tests.verify.issuer import AUDIENCE, Issuer


def make(auth: StarletteResourceServer) -> Starlette:
    @auth.requires(scopes=["orders:read"], roles=["clerk"])
    async def orders(request: Request) -> Response:
        return JSONResponse({"sub": request.state.principal.sub})

    async def who(request: Request) -> Response:
        principal = await auth.principal(request)
        return PlainTextResponse(principal.sub)

    routes = [Route("/orders", orders), Route("/who", who), *auth.routes()]
    return Starlette(routes=routes, lifespan=auth.lifespan)


@pytest.fixture
def auth() -> StarletteResourceServer:
    return StarletteResourceServer("https://auth.example.com", f"{AUDIENCE}/v1")


def test_principals_and_challenges(auth: StarletteResourceServer, tokens: TokenMint) -> None:
    with TestClient(make(auth), base_url=AUDIENCE) as client:
        good = {"Authorization": f"Bearer {tokens.token(scopes=['orders:read'], roles=['clerk'])}"}
        assert client.get("/orders", headers=good).json() == {"sub": "usr_test"}
        assert client.get("/who", headers=good).text == "usr_test"
        none = client.get("/orders")
        location = f"{AUDIENCE}/.well-known/oauth-protected-resource/v1"
        assert (none.status_code, none.headers["www-authenticate"]) == (
            401,
            f'Bearer resource_metadata="{location}"',
        )
        scope = client.get("/orders", headers={"Authorization": f"Bearer {tokens.token()}"})
        assert (scope.status_code, 'scope="orders:read"' in scope.headers["www-authenticate"]) == (403, True)
        assert client.get(location).json()["resource"] == f"{AUDIENCE}/v1"


def test_with_a_real_issuer(issuer: Issuer) -> None:
    with TestClient(make(StarletteResourceServer(issuer.url, AUDIENCE)), base_url=AUDIENCE) as client:
        assert client.get("/orders", headers={"Authorization": f"Bearer {issuer.token()}"}).status_code == 200
