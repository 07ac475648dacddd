"""Policies of initial access tokens, updates, and the answer about a registration."""

from __future__ import annotations

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.self_registered import InitialAccessToken
from doorward.features.oauth.clients.rules.self_registered import GRANTS
from doorward.features.oauth.registration.rules import (
    Limits,
    host_problem,
    limits_of,
    of_changes,
    of_registrations,
    response,
    update_problem,
)
from tests.features import made

pytestmark = pytest.mark.requirement(60)
TOKEN = InitialAccessToken(
    id="iat_one", name="n", token_hash=b"", created_at=1, expires_at=2, most=1, redirect_hosts=("a.example", "localhost"),
    grant_types=("authorization_code",), access={made.API: ("orders:read",)},
)  # fmt: skip


def test_the_limits_of_a_token_of_none_and_of_a_token_that_is_gone() -> None:
    assert limits_of(TOKEN) == Limits(
        ("a.example", "localhost"), ("authorization_code",), {made.API: ("orders:read",)}
    )
    assert limits_of(None) == Limits(("*",), GRANTS, {})
    kept = limits_of(None, made.client(redirect_uris=("https://b.example/cb", "com.example:/x")))
    assert kept.redirect_hosts == ("b.example", "com.example:")
    assert kept.access == made.client().access


@pytest.mark.parametrize(
    ("uri", "may"),
    [
        ("https://a.example/cb", True),
        ("http://localhost:1/cb", True),
        ("https://b.example/cb", False),
        ("https://sub.a.example/cb", False),
        ("http://127.0.0.1/cb", False),
        ("com.example.app:/cb", False),
        # what looks like a host after a private-use scheme belongs to nobody
        ("cursor://a.example/cb", False),
    ],
)
def test_hosts_are_compared_exactly(uri: str, may: bool) -> None:
    client = made.client(redirect_uris=(uri,))
    assert (host_problem(client, limits_of(TOKEN)) is None) == may
    assert host_problem(client, limits_of(None)) is None


def test_an_update_names_its_app_and_nothing_of_the_answer() -> None:
    assert update_problem({"client_id": "dcr_one"}, "dcr_one") is None
    for document in (
        {},
        {"client_id": "dcr_two"},
        {"client_id": "dcr_one", "registration_access_token": "x"},
    ):
        assert isinstance(update_problem(document, "dcr_one"), OAuthError)


def test_the_answer_names_the_scopes_that_the_app_may_ask_for() -> None:
    client = made.client(registered_by="app")
    said = response(client, token="t", uri="u", scope="orders:read nothing openid")
    assert said.scope == "orders:read openid"
    assert "orders" not in repr(said)
    assert response(client, token="t", uri="u").scope is None


@pytest.mark.requirement(93)
def test_counters() -> None:
    limits = [bucket.limit for bucket in of_registrations("2001:db8::1", per_network=2, per_hour=9, tag=str)]
    assert limits == [2, 8, 32, 9]
    assert of_changes("dcr_one", tag=str) != of_changes("dcr_two", tag=str)
