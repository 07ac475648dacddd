"""Tests of token algorithms and types: as registered, from an app's creation on, and no token accepted as another kind."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from doorward.features.services import Services
from doorward_verify.auth_error import AuthError
from doorward_verify.claims import AccessRules
from doorward_verify.keyset import parse_jwks
from doorward_verify.verifier import Verifier
from tests.engines import POSTGRES_IN_SOAK
from tests.flows.apps import App, Tokens, header
from tests.flows.browsing import Person
from tests.flows.running import Running
from tests.flows.seeds import API, CALLBACK, House, draft

ENGINES = POSTGRES_IN_SOAK
ADA = "ada@example.com"


def tokens(ada: Person, app: App) -> Tokens:
    """Tokens for a request that this browser completes without a page."""
    attempt = app.begin("openid email orders:read")
    return app.redeem(attempt, ada.open(attempt.url))


def api(server: Running, **changes: Any) -> None:
    """Run the action of `doorward api set`."""

    async def work(services: Services) -> None:
        await services.get(admin.apis).update(
            os_actor(), API, lambda found: structs.replace(found, **changes)
        )

    server.operate(work)


def algorithm(token: str) -> tuple[str, str]:
    """`alg` and `typ` of a token."""
    head = header(token)
    return head["alg"], head["typ"]


def test_an_app_has_its_keys_from_its_creation_on(server: Running, house: House, ada: Person) -> None:
    house_alg = tokens(ada, house.own)
    assert algorithm(house_alg.body["id_token"]) == ("RS256", "JWT")
    assert algorithm(house_alg.access) == ("ES256", "at+jwt")

    async def work(services: Services) -> App:
        wanted = draft("New", "web", first_party=True, id_token_signed_alg="Ed25519")
        made = await services.get(admin.apps).create(os_actor(), wanted, kind="web", access=[API])
        assert made.secret is not None
        return App(server.issuer, made.client.id, made.secret.reveal(), CALLBACK, verify=server.tls)

    app = server.operate(work)
    try:
        # at once: no job has checked the keys since
        found = tokens(ada, app)
        assert algorithm(found.body["id_token"]) == ("Ed25519", "JWT")
        published = {key["kid"] for key in app.http.get(f"{server.issuer}/jwks").json()["keys"]}
        assert header(found.body["id_token"])["kid"] in published
    finally:
        app.close()


@pytest.mark.requirement(39)
def test_an_access_token_of_type_jwt_works_here_and_no_id_token_passes_for_one(
    server: Running, house: House, ada: Person
) -> None:
    app, issuer = house.own, server.issuer
    api(server, signing_alg="RS256", token_type="JWT")
    try:
        found = tokens(ada, app)
        access, identity = found.access, found.body["id_token"]
        assert algorithm(access) == algorithm(identity) == ("RS256", "JWT")
        # userinfo, introspection and revocation accept it
        assert app.userinfo(access).json()["email"] == ADA
        assert app.introspect(access)["active"] is True
        assert house.reader.introspect(access)["sub"] == found.identity["sub"]
        # and the ID token of the same response is not accepted
        assert app.userinfo(identity).status_code == 401
        assert app.introspect(identity) == {"active": False}
        assert house.reader.introspect(identity) == {"active": False}
        assert app.post("/revoke", token=identity).status_code == 200
        assert app.introspect(access)["active"] is True
        # the access token is not accepted as an id_token_hint
        attempt = app.begin(id_token_hint=access)
        assert app.error(attempt, ada.open(attempt.url)) == "invalid_request"
        # the verifier accepts at+jwt only
        keys = parse_jwks(issuer, app.http.get(f"{issuer}/jwks").content)
        verifier = Verifier(AccessRules(issuer, API, frozenset({"RS256", "ES256"}), 0), keys)
        for token in (access, identity):
            refused = verifier.verify(token, found.claims["iat"])
            assert isinstance(refused, AuthError)
            assert refused.reason == "type"
        assert app.post("/revoke", token=access).status_code == 200
        assert app.introspect(access) == {"active": False}
        assert app.userinfo(access).status_code == 401
    finally:
        api(server, signing_alg="ES256", token_type="at+jwt")
    assert algorithm(tokens(ada, app).access) == ("ES256", "at+jwt")
