"""Access token (RFC 9068): all required claims, and nothing else about the person."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.entitlement import Entitlement
from doorward.core.model.policy import TokenPolicy
from doorward.features.oauth.tokens.rules import access
from tests.features import made


def claims(*, may_act: str | None = None, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "grant_id": "grt_one",
        "client_id": "app_web",
        "audience": made.API,
        "scopes": ("openid", "orders:read"),
        "permissions": ("orders:read",),
        "roles": ("reader",),
        "account_id": "usr_ada",
        "session_id": "ses_one",
        "auth_time": made.NOW - 9,
        "acr": "urn:doorward:aal1",
        "amr": ("pwd",),
    }
    return access.claims(
        Entitlement(**{**values, **changes}),
        issuer=made.ISSUER,
        now=made.NOW,
        ttl=300,
        unique="u",
        may_act=may_act,
    )


def test_a_persons_token_has_every_claim() -> None:
    assert claims() == {
        "iss": made.ISSUER,
        "sub": "usr_ada",
        "aud": made.API,
        "client_id": "app_web",
        "iat": made.NOW,
        "exp": made.NOW + 300,
        "jti": "grt_one.u",
        "scope": "openid orders:read",
        "roles": ("reader",),
        "permissions": ("orders:read",),
        "auth_time": made.NOW - 9,
        "acr": "urn:doorward:aal1",
        "amr": ("pwd",),
        "sid": "ses_one",
    }
    assert "sid" not in claims(session_id=None)


@pytest.mark.requirement(26)
def test_an_apps_own_token_has_no_claims_about_a_person() -> None:
    said = claims(account_id=None)
    assert said["sub"] == "app_web"
    assert not {"auth_time", "acr", "amr", "sid"} & said.keys()


def test_a_derived_token_names_its_subject_and_its_actors() -> None:
    acting = {"sub": "app_api", "act": {"sub": "app_web"}}
    said = claims(grant_id="exg_one", actor=acting, may_act="app_next")
    assert (said["sub"], said["act"], said["may_act"]) == ("usr_ada", acting, {"sub": "app_next"})
    assert said["jti"].startswith("exg_one.")
    assert not {"act", "may_act"} & claims().keys()


def test_a_token_that_rests_on_no_sign_in_names_none() -> None:
    """Made from an API key of a person."""
    said = claims(auth_time=None, acr=None, amr=(), session_id=None)
    assert said["sub"] == "usr_ada"
    assert not {"auth_time", "acr", "amr", "sid"} & said.keys()


def test_a_token_may_speak_for_another_app_than_the_one_that_uses_it() -> None:
    said = claims(account_id=None, subject="app_batch")
    assert (said["sub"], said["client_id"]) == ("app_batch", "app_web")


def test_the_apps_own_lifetime_overrides_the_policys() -> None:
    assert access.lifetime(made.client(), TokenPolicy()) == 300
    assert access.lifetime(made.client(access_token_ttl=60), TokenPolicy()) == 60
