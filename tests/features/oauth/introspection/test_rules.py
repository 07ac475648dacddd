"""Introspection rules: which caller may see a token, and what it sees."""

from __future__ import annotations

import pytest

from doorward.features.oauth.introspection import rules as introspect
from tests.features import made


@pytest.mark.requirement(56)
def test_only_the_app_and_the_api_of_a_token_may_introspect_it() -> None:
    said = {"client_id": "app_web", "aud": made.API}
    config = made.config()
    assert introspect.may_see(said, made.client(), config)
    assert introspect.may_see(said, made.client(id="app_orders"), config)
    assert not introspect.may_see(said, made.client(id="app_other"), config)
    assert not introspect.may_see({**said, "aud": made.ISSUER}, made.client(id="app_orders"), config)


def test_an_active_answer_repeats_the_claims() -> None:
    assert introspect.of_access({"sub": "x"}) == {"active": True, "token_type": "Bearer", "sub": "x"}


@pytest.mark.requirement(56)
def test_a_refresh_token_that_would_be_refused_is_inactive_without_details() -> None:
    for newest in (True, False):
        answer = introspect.of_refresh(made.refresh(), made.grant(), answered=False, newest=newest)
        assert answer == {"active": False}


@pytest.mark.requirement(56)
def test_a_refresh_token_that_would_be_accepted_is_active_with_its_expiry() -> None:
    token, grant = made.refresh(expires_at=made.NOW + 50), made.grant()
    answer = introspect.of_refresh(token, grant, answered=True, newest=True)
    assert answer == {
        "active": True,
        "client_id": grant.client_id,
        "sub": grant.account_id,
        "aud": grant.audience,
        "scope": " ".join(grant.scopes),
        "iat": token.created_at,
        "exp": made.NOW + 50,
    }
    # the issue time of a spent token is not stored
    del answer["iat"]
    assert introspect.of_refresh(token, grant, answered=True, newest=False) == answer
