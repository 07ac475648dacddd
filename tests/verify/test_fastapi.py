"""FastAPI integration: dependencies, OpenAPI, overrides, challenges and lifespan by one `ResourceServer` object."""

import itertools
import time
from collections.abc import Generator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Security, WebSocket
from fastapi.testclient import TestClient

from doorward_verify.cookie import cookie_names, csrf_token
from doorward_verify.fastapi import FastAPIResourceServer, Principal
from doorward_verify.testing import TokenMint
from tests.verify.issuer import AUDIENCE, Issuer
from tests.waiting import keeps, until

META = f'resource_metadata="{AUDIENCE}/.well-known/oauth-protected-resource"'


def make(auth: FastAPIResourceServer) -> FastAPI:
    app = FastAPI(lifespan=auth.lifespan)
    app.include_router(auth.router)

    @app.get("/orders")
    async def list_orders(
        principal: Annotated[Principal, Security(auth, scopes=["orders:read"])],
    ) -> dict[str, Any]:
        return {"sub": principal.sub, "roles": sorted(principal.roles)}

    @app.post("/orders")
    def add_order(principal: Annotated[Principal, Security(auth, scopes=["orders:write"])]) -> dict[str, str]:
        return {"sub": principal.sub}

    @app.get("/clerks")
    async def clerks(
        principal: Annotated[Principal, auth.require(scopes=["orders:read"], roles=["clerk"])],
    ) -> str:
        return principal.sub

    @app.get("/refunds")
    async def refunds(principal: Annotated[Principal, auth.require(acr=["aal2"], max_age=300)]) -> str:
        return principal.sub

    @app.get("/me")
    async def me(principal: Annotated[Principal, Depends(auth)]) -> str:
        return principal.sub

    @app.websocket("/live")
    async def live(websocket: WebSocket, principal: Annotated[Principal, Security(auth)]) -> None:
        await websocket.accept()
        await websocket.send_text(principal.sub)
        await websocket.close()

    return app


@pytest.fixture
def auth() -> FastAPIResourceServer:
    return FastAPIResourceServer(
        "https://auth.example.com", audience=AUDIENCE, cookie=True, scopes=["orders:read"]
    )


@pytest.fixture
def client(auth: FastAPIResourceServer, tokens: TokenMint) -> Generator[TestClient]:
    with TestClient(make(auth), base_url=AUDIENCE) as started:
        yield started


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_good_token_reaches_the_endpoint(client: TestClient, tokens: TokenMint) -> None:
    answer = client.get("/orders", headers=bearer(tokens.token(scopes=["orders:read"], roles=["clerk"])))
    assert (answer.status_code, answer.json()) == (200, {"sub": "usr_test", "roles": ["clerk"]})


def test_challenges(client: TestClient, tokens: TokenMint) -> None:
    none = client.get("/orders")
    assert (none.status_code, none.headers["www-authenticate"]) == (
        401,
        f'Bearer scope="orders:read", {META}',
    )
    assert client.get("/me").headers["www-authenticate"] == f"Bearer {META}"
    bad = client.get("/orders", headers=bearer(tokens.expired(scopes=["orders:read"])))
    assert bad.status_code == 401
    assert 'error="invalid_token"' in bad.headers["www-authenticate"]
    assert 'scope="orders:read"' in bad.headers["www-authenticate"]
    assert META in bad.headers["www-authenticate"]
    foreign = client.get("/orders", headers=bearer(tokens.wrong_audience(scopes=["orders:read"])))
    assert foreign.status_code == 401
    scope = client.get("/orders", headers=bearer(tokens.token()))
    assert scope.status_code == 403
    assert 'error="insufficient_scope"' in scope.headers["www-authenticate"]
    assert 'scope="orders:read"' in scope.headers["www-authenticate"]
    twice = client.get("/orders", headers=[("Authorization", "Bearer a"), ("Authorization", "Bearer b")])
    assert twice.status_code == 400


@pytest.mark.requirement(66)
def test_all_scopes_of_a_route_stand_in_one_challenge(tokens: TokenMint, auth: FastAPIResourceServer) -> None:
    """MCP authorization 2026-07-28, § Scope Challenge Handling: one scope after another would send a person to the
    consent page each time."""
    app = FastAPI(dependencies=[Security(auth, scopes=["orders:read"])])

    @app.get("/audit", dependencies=[Security(auth, scopes=["audit:read"])])
    async def audit(
        principal: Annotated[Principal, auth.require(scopes=["orders:write"], max_age=300)],
    ) -> str:
        return principal.sub

    with TestClient(app, base_url=AUDIENCE) as client:
        answers = {
            "none": client.get("/audit"),
            "expired": client.get("/audit", headers=bearer(tokens.expired())),
            "bare": client.get("/audit", headers=bearer(tokens.token())),
            "one": client.get("/audit", headers=bearer(tokens.token(scopes=["orders:read"]))),
            "old": client.get(
                "/audit",
                headers=bearer(
                    tokens.token(
                        scopes=["orders:read", "audit:read", "orders:write"],
                        auth_time=tokens.clock.now - 301,
                    )
                ),
            ),
        }
        for answer in answers.values():
            said = answer.headers["www-authenticate"]
            names = said.partition('scope="')[2].partition('"')[0].split()
            assert sorted(names) == ["audit:read", "orders:read", "orders:write"], said
        assert [answer.status_code for answer in answers.values()] == [401, 401, 403, 403, 401]


def test_roles_and_step_up(client: TestClient, tokens: TokenMint) -> None:
    plain = tokens.token(scopes=["orders:read"])
    assert client.get("/clerks", headers=bearer(plain)).status_code == 403
    assert client.get("/clerks", headers=bearer(tokens.token(roles=["clerk"]))).status_code == 403
    assert (
        client.get(
            "/clerks", headers=bearer(tokens.token(scopes=["orders:read"], roles=["clerk"]))
        ).status_code
        == 200
    )
    weak = client.get("/refunds", headers=bearer(plain))
    assert weak.status_code == 401
    assert 'error="insufficient_user_authentication"' in weak.headers["www-authenticate"]
    assert 'acr_values="aal2"' in weak.headers["www-authenticate"]
    assert 'max_age="300"' in weak.headers["www-authenticate"]
    old = tokens.token(acr="aal2", auth_time=tokens.clock.now - 301)
    assert client.get("/refunds", headers=bearer(old)).status_code == 401
    assert client.get("/refunds", headers=bearer(tokens.token(acr="aal2"))).status_code == 200


def test_the_scheme_and_the_scopes_reach_openapi(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemes = document["components"]["securitySchemes"]
    assert list(schemes) == ["doorward"]
    assert schemes["doorward"]["type"] == "openIdConnect"
    assert (
        schemes["doorward"]["openIdConnectUrl"] == "https://auth.example.com/.well-known/openid-configuration"
    )
    paths = document["paths"]
    assert paths["/orders"]["get"]["security"] == [{"doorward": ["orders:read"]}]
    assert paths["/orders"]["post"]["security"] == [{"doorward": ["orders:write"]}]
    assert {"doorward": ["orders:read"]} in paths["/clerks"]["get"]["security"]
    assert paths["/me"]["get"]["security"] == [{"doorward": []}]
    assert "/.well-known/oauth-protected-resource" not in paths


def test_one_override_covers_every_use() -> None:
    server = FastAPIResourceServer("https://auth.example.com", audience=AUDIENCE, jwks={"keys": []})
    app = make(server)
    someone = Principal(sub="usr_9", scopes=frozenset({"orders:read"}), roles=frozenset({"clerk"}))
    app.dependency_overrides[server] = lambda: someone
    with TestClient(app) as client:
        assert client.get("/orders").json()["sub"] == "usr_9"
        assert client.get("/me").json() == "usr_9"
        assert client.get("/clerks").json() == "usr_9"
        assert client.get("/refunds").status_code == 401  # requirements other than scopes are still checked


def test_the_metadata_of_the_resource_is_served(client: TestClient) -> None:
    answer = client.get("/.well-known/oauth-protected-resource")
    assert answer.status_code == 200
    assert answer.json()["resource"] == AUDIENCE
    assert answer.json()["authorization_servers"] == ["https://auth.example.com"]
    assert answer.json()["scopes_supported"] == ["orders:read"]


@pytest.mark.parametrize("name", cookie_names("https://auth.example.com"))
def test_the_cookie_with_csrf(client: TestClient, tokens: TokenMint, name: str) -> None:
    token = tokens.token(scopes=["orders:read", "orders:write"])
    cookie = {"Cookie": f"{name}={token}"}
    assert client.get("/orders", headers=cookie).status_code == 200
    assert client.post("/orders", headers=cookie).status_code == 403
    good = {**cookie, "X-CSRF-Token": csrf_token(token)}
    assert client.post("/orders", headers=good).status_code == 200
    assert client.post("/orders", headers={**good, "Origin": AUDIENCE}).status_code == 200
    assert client.post("/orders", headers={**good, "Origin": "https://evil.example"}).status_code == 403
    assert client.post("/orders", headers={**cookie, **bearer(token)}).status_code == 200


def test_a_web_socket_is_authenticated(client: TestClient, tokens: TokenMint) -> None:
    with client.websocket_connect("/live", headers=bearer(tokens.token())) as socket:
        assert socket.receive_text() == "usr_test"
    from starlette.testclient import WebSocketDenialResponse

    with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect("/live"):
        pass
    assert denied.value.status_code == 401
    with (
        pytest.raises(WebSocketDenialResponse),
        client.websocket_connect(
            "/live", headers={"Cookie": f"{cookie_names('https://auth.example.com')[0]}={tokens.token()}"}
        ),
    ):
        pass  # another site can open a WebSocket with the cookie, but cannot set a header


@pytest.mark.requirement(58)
def test_with_a_real_issuer_from_the_lifespan_to_the_revocation(issuer: Issuer) -> None:
    server = FastAPIResourceServer(issuer.url, audience=AUDIENCE)
    with TestClient(make(server), base_url=AUDIENCE) as client:
        assert issuer.count("/jwks") == 1  # before the first request
        sessions = itertools.count(1)

        def until_refused() -> float:
            session = f"ses_{next(sessions)}"
            token = bearer(issuer.token(sid=session))
            for _ in range(3):
                assert client.get("/orders", headers=token).status_code == 200
            until(lambda: any("after=" in asked for asked in issuer.asked))
            began = time.monotonic()
            issuer.revoke("sid", session)
            until(lambda: client.get("/orders", headers=token).status_code == 401)
            took = time.monotonic() - began
            refused = client.get("/orders", headers=token)
            assert 'error="invalid_token"' in refused.headers["www-authenticate"]
            return took

        keeps(1, until_refused)
    assert issuer.count("/jwks") == 1


def test_with_an_unreachable_issuer_the_api_starts_and_answers_503(issuer: Issuer) -> None:
    token = bearer(issuer.token())
    issuer.dead = True
    server = FastAPIResourceServer(issuer.url, audience=AUDIENCE, wait=1)
    with TestClient(make(server), base_url=AUDIENCE) as client:
        answer = client.get("/orders", headers=token)
        assert answer.status_code == 503
        assert "www-authenticate" not in answer.headers
        assert client.get("/orders").status_code == 401
        issuer.dead = False
        until(lambda: client.get("/orders", headers=token).status_code == 200)
