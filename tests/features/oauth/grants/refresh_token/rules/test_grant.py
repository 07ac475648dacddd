"""Scope and resource of a refresh: never more than the grant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import OAuthError
from doorward.features.oauth.grants.refresh_token.rules.grant import narrow
from tests.features import made

CONFIG = made.config()
NAMES = st.lists(st.sampled_from(["openid", "email", "orders:read", "orders:write", "profile", ""]))


@pytest.mark.requirement(21)
@given(NAMES, NAMES)
def test_the_requested_scope_is_a_subset_of_the_grant_or_refused(
    granted: list[str], asked: list[str]
) -> None:
    grant = made.grant(scopes=tuple(name for name in granted if name))
    got = narrow(grant, scope=" ".join(asked), resource=None, config=CONFIG)
    if isinstance(got, OAuthError):
        assert got.code == "invalid_scope"
        assert not any(asked) or not {name for name in asked if name} <= set(grant.scopes)
    else:
        assert set(got) == {name for name in asked if name} <= set(grant.scopes)


@pytest.mark.requirement(21)
def test_the_resource_must_be_the_grants_own() -> None:
    assert narrow(made.grant(), scope=None, resource=None, config=CONFIG) == made.grant().scopes
    assert narrow(made.grant(), scope=None, resource=made.API, config=CONFIG) == made.grant().scopes
    error = narrow(made.grant(), scope=None, resource="https://other.example.com", config=CONFIG)
    assert isinstance(error, OAuthError)
    assert error.code == "invalid_target"


def refresh(scope: str, *granted: str, resource: str | None = None) -> tuple[str, ...] | OAuthError:
    return narrow(made.grant(scopes=granted), scope=scope, resource=resource, config=CONFIG)


def test_an_undefined_scope_is_ignored_again() -> None:
    assert refresh("openid phone orders:read", "openid", "orders:read") == ("openid", "orders:read")
    assert refresh("phone orders:read", "openid", "orders:read") == ("orders:read",)
    # granted scopes stay, whether or not an API still defines them
    assert refresh("openid gone:read", "openid", "gone:read") == ("openid", "gone:read")


@pytest.mark.requirement(21)
@pytest.mark.parametrize("scope", ["phone", "openid orders:write", "openid email"])
def test_a_defined_scope_that_was_not_granted_is_refused(scope: str) -> None:
    refused = refresh(scope, "openid", "orders:read")
    assert isinstance(refused, OAuthError)
    assert refused.code == "invalid_scope"
    assert repr(scope.rsplit(" ", maxsplit=1)[-1]) in refused.reason


def test_without_openid_no_scope_is_ignored() -> None:
    refused = refresh("orders:read phone", "orders:read")
    assert isinstance(refused, OAuthError)
    assert refused.code == "invalid_scope"


@pytest.mark.requirement(37)
def test_the_resource_is_compared_as_a_url() -> None:
    assert refresh("openid", "openid", resource=made.API + "/") == ("openid",)
    assert isinstance(refresh("openid", "openid", resource=made.API + "/orders"), OAuthError)
