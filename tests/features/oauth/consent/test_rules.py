"""Consent: when the person is asked."""

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
def test_consent_is_asked_once_and_again_for_more(client: Client) -> None:
    assert needed(client, request(), GRANTED, None)
    assert not needed(client, request(), GRANTED, earlier("orders:read", "openid", "email"))
    assert needed(client, request(), GRANTED, earlier("openid"))
    assert needed(client, request(), (*GRANTED, "offline_access"), earlier(*GRANTED))


@pytest.mark.requirement(12)
@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:5000/cb", "http://localhost:3000/cb", "com.example.app:/cb"]
)
def test_an_app_that_could_be_an_impostor_always_needs_consent(uri: str) -> None:
    assert needed(made.public(), request(redirect_uri=uri), GRANTED, earlier(*GRANTED))
    assert not trusted_address(made.public(), request(redirect_uri=uri))
    # a code that leaks to another app cannot be redeemed there
    assert not needed(made.client(), request(redirect_uri=uri), GRANTED, earlier(*GRANTED))


def test_a_first_party_app_needs_no_consent_unless_it_requests_it() -> None:
    own = made.client(first_party=True)
    assert not needed(own, request(), GRANTED, None)
    assert needed(own, request(prompt=frozenset({"consent"})), GRANTED, None)
    assert not needed(made.public(first_party=True), request(redirect_uri=""), GRANTED, None)


@pytest.mark.requirement(13)
def test_prompt_consent_asks_again() -> None:
    assert needed(made.client(), request(prompt=frozenset({"consent"})), GRANTED, earlier(*GRANTED))
