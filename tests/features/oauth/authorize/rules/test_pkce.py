"""PKCE at the authorization endpoint: a code is bound to its requester."""

from __future__ import annotations

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client, Pkce
from doorward.features.oauth.authorize.rules.pkce import challenge
from tests.features import made

S256 = made.challenge(made.VERIFIER)
OR_NONCE = made.client(pkce="or_nonce")
OPTIONAL = made.client(pkce="optional")


def ask(
    client: Client,
    code_challenge: str | None = None,
    method: str | None = None,
    *,
    openid: bool = True,
    nonce: str | None = None,
) -> str | OAuthError | None:
    return challenge(client, code_challenge=code_challenge, method=method, openid=openid, nonce=nonce)


@pytest.mark.requirement(4)
@pytest.mark.parametrize("client", [made.client(), made.public(), OR_NONCE, OPTIONAL])
def test_s256_is_accepted_from_every_app(client: Client) -> None:
    assert ask(client, S256, "S256") == S256


@pytest.mark.requirement(4)
@pytest.mark.parametrize("method", [None, "plain", "s256", "S512", ""])
@pytest.mark.parametrize("client", [made.client(), made.public(), OR_NONCE, OPTIONAL])
def test_plain_is_refused_also_as_the_default_method(client: Client, method: str | None) -> None:
    refused = ask(client, S256, method, nonce="n")
    assert isinstance(refused, OAuthError)
    assert refused.code == "invalid_request"


@pytest.mark.requirement(4)
@pytest.mark.parametrize(
    "value", ["", "x", S256 + "A", S256[:-1], S256 + "=", S256[:-1] + "+", S256[:-1] + "\n", "é" * 43]
)
def test_a_challenge_is_the_base64url_of_a_sha256_hash(value: str) -> None:
    assert isinstance(ask(made.client(), value, "S256"), OAuthError)


@pytest.mark.requirement(101)
@pytest.mark.parametrize("pkce", ["required", "or_nonce", "optional"])
def test_a_public_app_must_use_pkce_whatever_its_registration_says(pkce: Pkce) -> None:
    refused = ask(made.public(pkce=pkce), nonce="n")
    assert isinstance(refused, OAuthError)
    assert refused.code == "invalid_request"
    assert "--pkce" not in refused.reason + refused.fix


@pytest.mark.requirement(101)
def test_a_confidential_app_may_omit_pkce_as_the_operator_chose() -> None:
    assert isinstance(ask(made.client(), nonce="n"), OAuthError)
    assert ask(OR_NONCE, nonce="n") is None
    assert isinstance(ask(OR_NONCE), OAuthError)
    assert isinstance(ask(OR_NONCE, nonce=""), OAuthError)
    assert isinstance(ask(OR_NONCE, nonce="n", openid=False), OAuthError)
    assert ask(OPTIONAL) is None
    assert ask(OPTIONAL, openid=False) is None


@pytest.mark.requirement(101)
@pytest.mark.parametrize(
    ("pkce", "nonce", "command"),
    [("required", "n", "or_nonce"), ("required", None, "optional"), ("or_nonce", None, "optional")],
)
def test_the_log_names_the_command_that_allows_such_a_client(
    pkce: Pkce, nonce: str | None, command: str
) -> None:
    refused = ask(made.client(name="My shop", pkce=pkce), nonce=nonce)
    assert isinstance(refused, OAuthError)
    assert refused.fix.endswith(f"doorward app set 'My shop' --pkce {command}")
    # the app is told what to send, and nothing about its registration
    assert "doorward" not in refused.description


def test_a_method_without_a_challenge_is_refused() -> None:
    for client in (OR_NONCE, OPTIONAL):
        assert isinstance(ask(client, None, "S256", nonce="n"), OAuthError)
