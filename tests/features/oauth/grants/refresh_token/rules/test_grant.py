"""Can a refresh only ever ask for less?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import Refusal
from doorward.features.oauth.grants.refresh_token.rules.grant import narrow
from tests.features import made

CATALOG = made.catalog()
NAMES = st.lists(st.sampled_from(["openid", "email", "orders:read", "orders:write", "profile", ""]))


@pytest.mark.requirement(21)
@given(NAMES, NAMES)
def test_whatever_is_asked_is_part_of_the_grant_or_refused(granted: list[str], asked: list[str]) -> None:
    grant = made.grant(scopes=tuple(name for name in granted if name))
    got = narrow(grant, scope=" ".join(asked), resource=None, catalog=CATALOG)
    if isinstance(got, Refusal):
        assert got.code == "invalid_scope"
        assert not any(asked) or not {name for name in asked if name} <= set(grant.scopes)
    else:
        assert set(got) == {name for name in asked if name} <= set(grant.scopes)


@pytest.mark.requirement(21)
def test_the_resource_is_the_grants_own() -> None:
    assert narrow(made.grant(), scope=None, resource=None, catalog=CATALOG) == made.grant().scopes
    assert narrow(made.grant(), scope=None, resource=made.API, catalog=CATALOG) == made.grant().scopes
    refusal = narrow(made.grant(), scope=None, resource="https://other.example.com", catalog=CATALOG)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_target"


def refresh(scope: str, *granted: str, resource: str | None = None) -> tuple[str, ...] | Refusal:
    return narrow(made.grant(scopes=granted), scope=scope, resource=resource, catalog=CATALOG)


def test_a_name_that_nothing_defines_is_left_out_again() -> None:
    assert refresh("openid phone orders:read", "openid", "orders:read") == ("openid", "orders:read")
    assert refresh("phone orders:read", "openid", "orders:read") == ("orders:read",)
    # what was granted stays, whether or not an API still defines it
    assert refresh("openid gone:read", "openid", "gone:read") == ("openid", "gone:read")


@pytest.mark.requirement(21)
@pytest.mark.parametrize("scope", ["phone", "openid orders:write", "openid email"])
def test_what_is_defined_and_was_not_granted_stays_refused(scope: str) -> None:
    refused = refresh(scope, "openid", "orders:read")
    assert isinstance(refused, Refusal)
    assert refused.code == "invalid_scope"
    assert repr(scope.rsplit(" ", maxsplit=1)[-1]) in refused.because


def test_without_openid_nothing_is_left_out() -> None:
    refused = refresh("orders:read phone", "orders:read")
    assert isinstance(refused, Refusal)
    assert refused.code == "invalid_scope"


@pytest.mark.requirement(37)
def test_the_resource_is_compared_as_a_url() -> None:
    assert refresh("openid", "openid", resource=made.API + "/") == ("openid",)
    assert isinstance(refresh("openid", "openid", resource=made.API + "/orders"), Refusal)
