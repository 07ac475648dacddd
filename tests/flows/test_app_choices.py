"""Tests that third-party apps work as their operator registered them: PKCE, nonce, method of the client secret."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.engines import POSTGRES_IN_SOAK
from tests.flows.apps import App, good, refused
from tests.flows.browsing import Person
from tests.flows.running import Running
from tests.flows.seeds import House

ENGINES = POSTGRES_IN_SOAK
WITHOUT = {"code_challenge": "", "code_challenge_method": ""}


def change(server: Running, app: str, **changes: Any) -> None:
    """Run the action of `doorward app set`."""

    async def work(services: Services) -> None:
        await services.get(admin.apps).update(
            os_actor(), app, lambda client: structs.replace(client, **changes)
        )

    server.operate(work)


def bare(app: App, code: str, redirect_uri: str, **more: str) -> dict[str, str]:
    """The fields that redeem a code without a verifier."""
    return {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, **more}


@pytest.mark.requirement(5, 101)
def test_a_client_without_pkce_works_if_its_app_is_registered_so(
    ada: Person, server: Running, house: House
) -> None:
    app = house.own
    attempt = app.begin(**WITHOUT)
    assert app.error(attempt, ada.open(attempt.url)) == "invalid_request"
    change(server, "Till", pkce="or_nonce")
    attempt = app.begin(**WITHOUT)
    code = app.code(attempt, ada.open(attempt.url))
    assert good(app.token(**bare(app, code, attempt.redirect_uri))).identity["nonce"] == attempt.nonce
    attempt = app.begin(nonce="", **WITHOUT)
    assert app.error(attempt, ada.open(attempt.url)) == "invalid_request"
    change(server, "Till", pkce="optional")
    attempt = app.begin(nonce="", **WITHOUT)
    code = app.code(attempt, ada.open(attempt.url))
    assert "nonce" not in good(app.token(**bare(app, code, attempt.redirect_uri))).identity
    # a client that uses PKCE is still held to it
    attempt = app.begin()
    code = app.code(attempt, ada.open(attempt.url))
    refused(app.token(**bare(app, code, attempt.redirect_uri)))
    # and a challenge that an attacker removed on the way is noticed (RFC 9700 §4.8.2)
    attempt = app.begin(**WITHOUT)
    refused(app.redemption(attempt, app.code(attempt, ada.open(attempt.url))))


@pytest.mark.requirement(101)
def test_a_public_app_always_needs_pkce(ada: Person, house: House) -> None:
    attempt = house.spa.begin(**WITHOUT)
    assert house.spa.error(attempt, ada.open(attempt.url)) == "invalid_request"


@pytest.mark.requirement(24)
def test_an_app_sends_its_secret_by_either_method_at_every_endpoint(server: Running, house: House) -> None:
    app = house.service
    in_body = {"client_id": app.client_id, "client_secret": app.secret or ""}
    grant = {"grant_type": "client_credentials", "scope": "orders:read"}
    token = good(app.token(**grant)).access

    def answers(**fields: str) -> list[int]:
        return [
            app.http.post(f"{server.issuer}{path}", data={**fields, **in_body}).status_code
            for path in ("/token", "/introspect", "/revoke")
        ]

    assert answers(**grant, token=token) == [200, 200, 200]
    assert app.introspect(token) == {"active": False}
    both = app.http.post(f"{server.issuer}/token", data={**grant, **in_body}, headers=app.authorization)
    refused(both, "invalid_request")
    change(server, "Batch", auth_pinned=True)
    assert answers(**grant, token=token) == [401, 401, 401]
    good(app.token(**grant))
    change(server, "Batch", auth_pinned=False)
