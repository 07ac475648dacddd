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
            f'Bearer scope="orders:read", resource_metadata="{location}"',
        )
        bare = client.get("/who")
        assert (bare.status_code, bare.headers["www-authenticate"]) == (
            401,
            f'Bearer resource_metadata="{location}"',
        )
        scope = client.get("/orders", headers={"Authorization": f"Bearer {tokens.token()}"})
        assert (scope.status_code, 'scope="orders:read"' in scope.headers["www-authenticate"]) == (403, True)
        document = client.get(location)
        assert document.json()["resource"] == f"{AUDIENCE}/v1"
        assert document.headers["access-control-allow-origin"] == "*"


def test_browsers_may_read_the_metadata_with_headers_of_their_own(auth: StarletteResourceServer) -> None:
    """keycloak#43625: an inspector in a browser sends MCP-Protocol-Version, so that a preflight comes first."""
    with TestClient(Starlette(routes=[*auth.routes()]), base_url=AUDIENCE) as client:
        asked = {
            "Origin": "http://localhost:6274",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "mcp-protocol-version",
        }
        preflight = client.options(auth.metadata_path, headers=asked)
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-origin"] == "*"
        assert preflight.headers["access-control-allow-headers"] == "*"
        assert "GET" in preflight.headers["access-control-allow-methods"]


@pytest.mark.requirement(66)
@pytest.mark.parametrize(
    ("audience", "location", "paths"),
    [
        (AUDIENCE, None, {"/.well-known/oauth-protected-resource"}),
        (f"{AUDIENCE}/", None, {"/.well-known/oauth-protected-resource"}),
        (f"{AUDIENCE}/team/mcp", None, {"/.well-known/oauth-protected-resource/team/mcp"}),
        (
            f"{AUDIENCE}/mcp/",
            None,
            {"/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource/mcp/"},
        ),
        ("urn:example:orders", f"{AUDIENCE}/about", {"/about"}),
        ("urn:example:orders", None, {"/.well-known/oauth-protected-resource"}),
    ],
)
def test_the_metadata_lies_where_clients_look_and_names_the_audience_to_the_letter(
    audience: str, location: str | None, paths: set[str]
) -> None:
    auth = StarletteResourceServer(
        "https://auth.example.com", audience, resource_metadata=location, name="Orders", jwks={"keys": []}
    )
    assert set(auth.metadata_paths) == paths
    assert auth.resource_metadata is None or auth.resource_metadata == f"{AUDIENCE}{auth.metadata_path}"
    with TestClient(Starlette(routes=[*auth.routes()]), base_url=AUDIENCE) as client:
        for path in paths:
            assert client.get(path, follow_redirects=False).json() == {
                "resource": audience,
                "authorization_servers": ["https://auth.example.com"],
                "bearer_methods_supported": ["header"],
                "resource_name": "Orders",
            }


def test_with_a_real_issuer(issuer: Issuer) -> None:
    with TestClient(make(StarletteResourceServer(issuer.url, AUDIENCE)), base_url=AUDIENCE) as client:
        assert client.get("/orders", headers={"Authorization": f"Bearer {issuer.token()}"}).status_code == 200
