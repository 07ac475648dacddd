"""Can a refresh only ever ask for less?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.model.refusal import Refusal
from doorward.rules.refresh.grant import narrow
from tests.rules import made

NAMES = st.lists(st.sampled_from(["openid", "email", "orders:read", "orders:write", "profile", ""]))


@pytest.mark.requirement(21)
@given(NAMES, NAMES)
def test_whatever_is_asked_is_part_of_the_grant_or_refused(granted: list[str], asked: list[str]) -> None:
    grant = made.grant(scopes=tuple(name for name in granted if name))
    got = narrow(grant, scope=" ".join(asked), resource=None)
    if isinstance(got, Refusal):
        assert got.code == "invalid_scope"
        assert not any(asked) or not {name for name in asked if name} <= set(grant.scopes)
    else:
        assert set(got) == {name for name in asked if name} <= set(grant.scopes)


@pytest.mark.requirement(21)
def test_the_resource_is_the_grants_own() -> None:
    assert narrow(made.grant(), scope=None, resource=None) == made.grant().scopes
    assert narrow(made.grant(), scope=None, resource=made.API) == made.grant().scopes
    refusal = narrow(made.grant(), scope=None, resource="https://other.example.com")
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_target"
