"""Presented token: its claims, and which app may present it."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.errors import OAuthError
from doorward.features.oauth.grants.token_exchange.rules.presented import (
    PresentedToken,
    of_access,
    of_refresh,
    presentable,
)
from doorward.features.oauth.tokens.rules.refresh_format import PresentedRefreshToken
from tests.features import made

CLAIMS: dict[str, Any] = {
    "iss": made.ISSUER,
    "sub": "usr_ada",
    "aud": made.API,
    "client_id": "app_web",
    "iat": made.NOW,
    "exp": made.NOW + 300,
    "jti": "grt_one.u",
    "scope": "openid orders:read",
    "sid": "ses_one",
    "auth_time": made.NOW - 9,
    "acr": "one",
    "amr": ["pwd"],
    "act": {"sub": "app_x"},
    "may_act": {"sub": "app_y"},
}


def token(**changes: Any) -> PresentedToken:
    found = of_access({**CLAIMS, **changes}, parameter="subject_token")
    assert isinstance(found, PresentedToken)
    return found


def refused(error: object) -> OAuthError:
    assert isinstance(error, OAuthError), error
    assert error.code == "invalid_request"
    return error


def test_everything_that_binds_is_read() -> None:
    found = token()
    assert (found.prefix, found.subject, found.client_id, found.audience) == (
        "grt_one",
        "usr_ada",
        "app_web",
        made.API,
    )
    assert (found.scopes, found.until, found.session_id) == (
        ("openid", "orders:read"),
        made.NOW + 300,
        "ses_one",
    )
    assert (found.actor, found.may_act) == ({"sub": "app_x"}, {"sub": "app_y"})
    assert (found.auth_time, found.acr, found.amr) == (made.NOW - 9, "one", ("pwd",))
    bare = of_access({name: CLAIMS[name] for name in list(CLAIMS)[:8]}, parameter="subject_token")
    assert isinstance(bare, PresentedToken)
    assert (bare.actor, bare.may_act, bare.session_id, bare.amr) == (None, None, None, ())


def test_a_token_that_is_bound_to_a_key_is_not_exchanged() -> None:
    refused(of_access({**CLAIMS, "cnf": {"jkt": "x"}}, parameter="subject_token"))


def test_only_what_an_app_got_for_itself_has_no_row() -> None:
    assert token().row == "grt_one"
    assert token(sub="app_web").row is None
    assert token(sub="app_web", jti="key_one.u").row == "key_one"
    assert token(sub="app_other").row == "grt_one"


def test_a_confidential_app_presents_its_own_tokens_and_those_for_its_api() -> None:
    config = made.config(made.client())
    asking = made.client(id="app_orders")
    assert presentable(token(), made.client(), config, parameter="subject_token") is None
    assert presentable(token(), asking, config, parameter="subject_token") is None
    error = refused(presentable(token(), made.client(id="app_other"), config, parameter="actor_token"))
    assert error.description.startswith("The actor_token")
    elsewhere = token(aud="https://other.example.com")
    refused(presentable(elsewhere, asking, config, parameter="subject_token"))


def test_a_public_app_presents_no_access_token() -> None:
    """Its name is no secret: whoever finds a token could come in the name of any public app, and each API has found one."""
    config = made.config(made.client())
    public = made.public(id="app_orders")
    for presented in (token(), token(client_id="app_orders")):
        error = refused(presentable(presented, public, config, parameter="subject_token"))
        assert "refresh token" in error.description


PRESENTED = PresentedRefreshToken(grant_id="grt_one", generation=1, family_hash=b"f" * 32, hash=b"h" * 32)


def refresh(**changes: Any) -> PresentedToken | OAuthError:
    held = made.refresh(grant_id="grt_one", family_hash=b"f" * 32, hash=b"h" * 32)
    given: dict[str, Any] = {
        "found": (held, made.grant()),
        "client": made.client(),
        "may_act": "app_y",
        "now": made.NOW,
        **changes,
    }
    return of_refresh(PRESENTED, given.pop("found"), **given)


def test_a_refresh_token_stands_for_its_grant() -> None:
    found = refresh()
    assert isinstance(found, PresentedToken)
    assert (found.prefix, found.subject, found.session_id) == ("grt_one", "usr_ada", "ses_one")
    assert found.may_act == {"sub": "app_y"}
    assert found.until == made.grant().expires_at
    held = made.refresh(grant_id="grt_one", family_hash=b"f" * 32, hash=b"h" * 32)
    offline = refresh(found=(held, made.grant(offline=True)), may_act=None)
    assert isinstance(offline, PresentedToken)
    assert (offline.session_id, offline.may_act) == (None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"found": None},
        {"client": made.client(id="app_other")},
        {"now": made.grant().expires_at},
        {"found": (made.refresh(family_hash=b"x" * 32, hash=b"h" * 32), made.grant())},
        {"found": (made.refresh(family_hash=b"f" * 32, hash=b"x" * 32), made.grant())},
        {"found": (made.refresh(family_hash=b"f" * 32, hash=b"h" * 32), made.grant(ended_at=made.NOW))},
    ],
    ids=["unknown", "of another app", "expired", "invented", "spent", "ended"],
)
def test_other_refresh_tokens_are_refused(changes: dict[str, Any]) -> None:
    assert "subject_token" in refused(refresh(**changes)).description
