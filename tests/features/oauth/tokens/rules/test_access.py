"""Access token (RFC 9068): all required claims, and nothing else about the person."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.entitlement import Entitlement
from doorward.core.model.policy import TokenPolicy
from doorward.features.oauth.tokens.rules import access
from tests.features import made


def claims(**changes: Any) -> dict[str, Any]:
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
        Entitlement(**{**values, **changes}), issuer=made.ISSUER, now=made.NOW, ttl=300, unique="u"
    )


def test_a_persons_token_has_every_claim() -> None:
    assert claims(status=("uri", 5)) == {
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
        "status": {"status_list": {"idx": 5, "uri": "uri"}},
    }
    assert "sid" not in claims(session_id=None)


@pytest.mark.requirement(26)
def test_an_apps_own_token_has_no_claims_about_a_person() -> None:
    said = claims(account_id=None)
    assert said["sub"] == "app_web"
    assert not {"auth_time", "acr", "amr", "sid"} & said.keys()


def test_the_apps_own_lifetime_overrides_the_policys() -> None:
    assert access.lifetime(made.client(), TokenPolicy()) == 300
    assert access.lifetime(made.client(access_token_ttl=60), TokenPolicy()) == 60
