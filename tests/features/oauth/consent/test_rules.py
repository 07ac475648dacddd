"""Consent: when the person is asked."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api, Permission
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Consent
from doorward.features.oauth.consent.rules import empty_handed, left_out, needed, trusted_address
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


ORDERS = Api(
    id="api_orders",
    identifier=made.API,
    name="Orders",
    permissions=(Permission("orders:read"), Permission("orders:write")),
    created_at=made.NOW,
)


@pytest.mark.parametrize(
    ("asked", "granted", "missing", "nothing"),
    [
        ("orders:read orders:write", "orders:read orders:write", "", False),
        ("orders:read orders:write", "orders:read", "orders:write", False),
        ("orders:write orders:read", "", "orders:write orders:read", True),
        ("orders:read offline_access", "offline_access", "orders:read", True),
        ("offline_access", "offline_access", "", False),
        ("", "", "", False),
    ],
)
def test_what_a_persons_roles_do_not_give_is_named(
    asked: str, granted: str, missing: str, nothing: bool
) -> None:
    wanted, given = request(scopes=tuple(asked.split())), tuple(granted.split())
    assert left_out(wanted, given, ORDERS) == tuple(missing.split())
    assert empty_handed(wanted, given, ORDERS) is nothing
    assert (left_out(wanted, given, None), empty_handed(wanted, given, None)) == ((), False)


def test_an_app_that_gets_nothing_is_not_sent_back_without_a_word() -> None:
    """An API refuses such a token, the app asks again, and without the page it would go on like that unseen."""
    web, wanted = made.client(), request(scopes=("orders:read", "offline_access"))
    assert needed(web, wanted, ("offline_access",), earlier("offline_access"), nothing=True)
    assert not needed(web, wanted, ("offline_access",), earlier("offline_access"))
    # an app that came to sign the person in has what it came for; a first-party app has nobody to ask
    assert not needed(web, request(), ("openid",), earlier("openid"), nothing=True)
    assert not needed(made.client(first_party=True), wanted, (), None, nothing=True)


@pytest.mark.requirement(1, 12)
@pytest.mark.parametrize(
    ("changes", "uri", "asks"),
    [
        ({"native": True, "first_party": True}, "http://localhost:49152/cb", True),
        ({"native": True, "first_party": True}, "http://localhost/cb", False),
        ({"native": True, "first_party": True}, "http://127.0.0.1:49152/cb", False),
        ({"first_party": True}, "http://localhost/cb", False),
        ({"registered_by": "app"}, "https://app.example.com/cb", True),
        ({"registered_by": "document"}, "https://app.example.com/cb", True),
    ],
)
def test_a_free_port_of_localhost_and_an_app_that_came_by_itself_always_need_consent(
    changes: dict[str, Any], uri: str, asks: bool
) -> None:
    client = made.client(redirect_uris=("http://localhost/cb", "http://127.0.0.1/cb"), **changes)
    held = ("openid", "orders:read")
    assert needed(client, request(redirect_uri=uri), held, earlier(*held)) == asks
