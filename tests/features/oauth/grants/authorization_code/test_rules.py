"""Redemption of an authorization code: by its app, with its redirect URI and verifier, in time, once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.grant import AuthorizationCode, Grant
from doorward.features.oauth.grants.authorization_code.rules import Redeem, Reused, check
from tests.features import made

FORM = {"redirect_uri": made.REDIRECT, "code_verifier": made.VERIFIER}


def judge(
    code: AuthorizationCode | None = None,
    *,
    grant: Grant | None = None,
    client: Client | None = None,
    now: int = made.NOW,
    **form: Any,
) -> Redeem | Reused | OAuthError:
    sent = {name: value for name, value in {**FORM, **form}.items() if value is not None}
    return check(code or made.code(), grant or made.grant(), client or made.client(), sent, now=now)


def test_a_valid_redemption_is_accepted() -> None:
    assert isinstance(judge(), Redeem)


@pytest.mark.requirement(16)
def test_a_code_is_bound_to_app_redirect_uri_and_time() -> None:
    assert isinstance(judge(client=made.client(id="app_other")), OAuthError)
    assert isinstance(judge(redirect_uri=made.REDIRECT + "/"), OAuthError)
    assert isinstance(judge(now=made.NOW + 55), OAuthError)
    assert isinstance(judge(now=made.NOW + 54), Redeem)
    assert isinstance(check(None, None, made.client(), FORM, now=made.NOW), OAuthError)


@pytest.mark.requirement(16)
def test_a_code_without_redirect_uri_needs_pkce() -> None:
    assert isinstance(judge(redirect_uri=None), Redeem)
    bare = made.code(code_challenge=None)
    assert isinstance(judge(bare, redirect_uri=None, code_verifier=None), OAuthError)
    assert isinstance(judge(bare, code_verifier=None), Redeem)


def test_if_the_request_omitted_the_redirect_uri_only_the_registered_one_may_be_sent() -> None:
    bare = made.code(redirect_uri=None)
    assert isinstance(judge(bare, redirect_uri=None), Redeem)
    assert isinstance(judge(bare), Redeem)
    assert isinstance(judge(bare, redirect_uri="https://evil.example.com"), OAuthError)
    two = made.client(redirect_uris=(made.REDIRECT, "https://app.example.com/two"))
    assert isinstance(judge(bare, client=two), OAuthError)


@pytest.mark.requirement(5, 101)
def test_a_verifier_without_a_stored_challenge_is_refused() -> None:
    for client in (made.client(), made.client(pkce="or_nonce"), made.client(pkce="optional")):
        # an attacker who removed the challenge from the authorization request (RFC 9700 §4.8.2) gains nothing
        assert isinstance(judge(made.code(code_challenge=None), client=client), OAuthError)


def test_a_public_apps_code_always_has_a_challenge() -> None:
    code = made.code(code_challenge=None, client_id="app_spa")
    grant = made.grant(client_id="app_spa")
    assert isinstance(judge(code, grant=grant, client=made.public(), code_verifier=None), OAuthError)


@pytest.mark.requirement(6)
@pytest.mark.parametrize(
    "verifier",
    ["v" * 42, "v" * 129, "v" * 42 + "=", "v" * 42 + " ", "v" * 42 + "é", "v" * 42 + "+", "v" * 43 + "\n"],
)
def test_a_verifier_is_43_to_128_legal_characters(verifier: str) -> None:
    error = judge(made.code(code_challenge=made.challenge(verifier)), code_verifier=verifier)
    assert isinstance(error, OAuthError)
    assert error.code == "invalid_request"


@pytest.mark.requirement(6)
@given(st.text(alphabet="ABCXYZabcxyz0189-._~", min_size=43, max_size=128))
def test_every_legal_verifier_matches_only_its_own_challenge(verifier: str) -> None:
    assert isinstance(
        judge(made.code(code_challenge=made.challenge(verifier)), code_verifier=verifier), Redeem
    )
    assert isinstance(
        judge(made.code(code_challenge=made.challenge(verifier + "x")), code_verifier=verifier), OAuthError
    )
    assert isinstance(judge(code_verifier=None), OAuthError)


@pytest.mark.requirement(15)
def test_a_second_redemption_is_a_reuse_only_with_the_right_verifier() -> None:
    used = made.code(redeemed_at=made.NOW - 1)
    assert isinstance(judge(used), Reused)
    assert isinstance(judge(used, now=made.NOW + 10_000), Reused)
    assert isinstance(judge(used, code_verifier="x" * 43), OAuthError)
    assert isinstance(judge(used, client=made.client(id="app_other")), OAuthError)


def test_an_ended_or_expired_grant_is_refused() -> None:
    assert isinstance(judge(grant=made.grant(ended_at=made.NOW - 1)), OAuthError)
    assert isinstance(judge(grant=made.grant(expires_at=made.NOW)), OAuthError)
