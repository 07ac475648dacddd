"""When is the person asked whether the app may?"""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.client import Client
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Consent
from doorward.features.oauth.consent.rules import needed, trusted_address
from tests.features import made

GRANTED = ("openid", "orders:read")


def request(**changes: Any) -> AuthRequest:
    values: dict[str, Any] = {
        "client_id": "app_web",
        "redirect_uri": made.REDIRECT,
        "response_mode": "query",
        "scopes": GRANTED,
        "audience": made.API,
    }
    return AuthRequest(**{**values, **changes})


def earlier(*scopes: str) -> Consent:
    return Consent("usr_ada", "app_web", made.API, scopes, made.NOW - 100)


@pytest.mark.requirement(12)
@pytest.mark.parametrize("client", [made.client(), made.public()])
def test_an_app_is_asked_for_once_and_again_for_more(client: Client) -> None:
    assert needed(client, request(), GRANTED, None)
    assert not needed(client, request(), GRANTED, earlier("orders:read", "openid", "email"))
    assert needed(client, request(), GRANTED, earlier("openid"))
    assert needed(client, request(), (*GRANTED, "offline_access"), earlier(*GRANTED))


@pytest.mark.requirement(12)
@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:5000/cb", "http://localhost:3000/cb", "com.example.app:/cb"]
)
def test_who_cannot_be_told_from_an_impostor_is_always_asked_for(uri: str) -> None:
    assert needed(made.public(), request(redirect_uri=uri), GRANTED, earlier(*GRANTED))
    assert not trusted_address(made.public(), request(redirect_uri=uri))
    # whoever else gets the code cannot redeem it
    assert not needed(made.client(), request(redirect_uri=uri), GRANTED, earlier(*GRANTED))


def test_an_app_of_the_house_is_not_asked_for_unless_it_wants_to_be() -> None:
    own = made.client(first_party=True)
    assert not needed(own, request(), GRANTED, None)
    assert needed(own, request(prompt=frozenset({"consent"})), GRANTED, None)
    assert not needed(made.public(first_party=True), request(redirect_uri=""), GRANTED, None)


@pytest.mark.requirement(13)
def test_prompt_consent_asks_again() -> None:
    assert needed(made.client(), request(prompt=frozenset({"consent"})), GRANTED, earlier(*GRANTED))
