"""UserInfo rules: an answer only while app, grant and person all exist."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.errors import OAuthError
from doorward.features.oauth.userinfo import rules as userinfo
from tests.features import made

CLAIMS = {"sub": "usr_ada", "client_id": "app_web", "scope": "openid email"}


def answer(claims: dict[str, Any] | None = None, **changes: Any) -> Any:
    values = {
        "client": made.client(),
        "grant": made.grant(),
        "account": made.account(),
        "config": made.config(),
        **changes,
    }
    return userinfo.answer({**CLAIMS, **(claims or {})}, **values)


def test_it_returns_the_claims_of_the_tokens_scopes() -> None:
    client, said = answer()
    assert client.id == "app_web"
    assert said == {"sub": "usr_ada", "email": "ada@example.com", "email_verified": True}


def test_the_claims_parameter_adds_the_claims_requested_for_userinfo() -> None:
    grant = made.grant(claims={"userinfo": {"name": None}, "id_token": {"locale": None}})
    _, said = answer({"scope": "openid"}, grant=grant)
    assert said == {"sub": "usr_ada", "name": "Ada"}


@pytest.mark.parametrize(
    "changes",
    [
        {"grant": None},
        {"grant": made.grant(ended_at=1)},
        {"account": None},
        {"account": made.account(disabled_at=1)},
        {"account": made.account(id="usr_other")},
        {"client": None},
    ],
)
def test_a_missing_app_grant_or_person_makes_the_token_invalid(changes: dict[str, Any]) -> None:
    error = answer(**changes)
    assert isinstance(error, OAuthError)
    assert error.code == "invalid_token"


@pytest.mark.parametrize("scope", ["", "email", "openidx", "xopenid"])
def test_without_openid_the_scope_is_insufficient(scope: str) -> None:
    error = answer({"scope": scope})
    assert isinstance(error, OAuthError)
    assert error.code == "insufficient_scope"
