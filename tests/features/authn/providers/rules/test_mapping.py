"""Mapping of claims: the values that a section names give roles, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.provider import ExternalIdentity
from doorward.features.authn.providers.rules.mapping import (
    MappedClaims,
    RoleChange,
    changed_roles,
    claims_for,
    pair,
    roles_for,
    without_mapped,
)
from tests.features import made


def values(claims: dict[str, Any], path: str = "groups") -> frozenset[str] | None:
    return claims_for(claims, roles_claim=path, profile=()).values


def test_a_pair_has_two_sides() -> None:
    assert pair("shop-admins -> admin") == ("shop-admins", "admin")
    assert pair("cn=a->b,dc=x->admin") == ("cn=a->b,dc=x", "admin")
    assert pair(" name ") == ("name", "name")
    assert pair("-> admin") is None
    assert pair("x ->") is None
    assert pair("") is None


def test_values_are_texts_of_a_claim_or_a_path() -> None:
    assert values({"groups": ["a", "b", 3, None, "", "x" * 501, ["c"]]}) == {"a", "b"}
    assert values({"groups": "a"}) == {"a"}
    assert values({"groups": {"a": 1}}) == frozenset()
    assert values({}) == frozenset()
    assert values({"realm_access": {"roles": ["a"]}}, "realm_access.roles") == {"a"}
    assert values({"realm_access": "roles"}, "realm_access.roles") == frozenset()
    assert values({"https://x.example/groups": ["a"]}, "https://x.example/groups") == {"a"}
    assert values({"groups": ["a"]}, "") is None


@pytest.mark.parametrize(
    "claims",
    [
        {
            "_claim_names": {"groups": "src1"},
            "_claim_sources": {"src1": {"endpoint": "https://graph.example"}},
        },
        {"hasgroups": True},
        {"hasgroups": "true"},
    ],
)
def test_too_many_groups_are_not_none(claims: dict[str, Any]) -> None:
    """vault#7510: a group overage never drops a role silently."""
    assert claims_for(claims, roles_claim="groups", profile=()) == MappedClaims(elsewhere=True)
    # another claim that is elsewhere says nothing about this one
    assert values({"_claim_names": {"phone": "src1"}, "groups": ["a"]}) == {"a"}


@pytest.mark.parametrize("said", [[], {}, [True], 1.5, None, "yes"])
def test_whatever_else_a_provider_writes_there_is_no_overage(said: object) -> None:
    assert not claims_for({"hasgroups": said}, roles_claim="groups", profile=()).elsewhere
    assert not claims_for({"_claim_names": said}, roles_claim="groups", profile=()).elsewhere


def test_the_profile_has_texts_only() -> None:
    claims = {"given_name": "Ada", "last": "Lovelace", "zoneinfo": 3, "name": "x" * 501}
    wanted = ("given_name", "last -> family_name", "zoneinfo", "name", "nothing")
    found = claims_for(claims, roles_claim="", profile=wanted)
    assert found == MappedClaims(profile={"given_name": "Ada", "family_name": "Lovelace"})


def test_a_role_is_given_only_by_a_value_that_the_mapping_names() -> None:
    mapping = ("shop-admins -> admin", "staff -> clerk", "all-staff -> clerk")
    assert roles_for(frozenset({"staff", "all-staff", "shop-admins"}), mapping) == ("admin", "clerk")
    assert roles_for(frozenset({"admin", "clerk", "Shop-Admins", "shop-admins ", "*", ""}), mapping) == ()


def test_what_an_operator_gave_is_not_the_mappings() -> None:
    assert changed_roles(("admin",), (), ("admin", "clerk")) == RoleChange(
        held=("admin", "clerk"), mapped=("clerk",), given=("clerk",)
    )
    assert changed_roles(("admin", "clerk"), ("clerk",), ()) == RoleChange(
        held=("admin",), mapped=(), removed=("clerk",)
    )
    assert changed_roles(("admin", "clerk"), ("clerk",), ("clerk",)) == RoleChange(
        held=("admin", "clerk"), mapped=("clerk",)
    )
    # an operator took it away, and the mapping gives it again
    assert changed_roles(("admin",), ("clerk",), ("clerk",)) == RoleChange(
        held=("admin", "clerk"), mapped=("clerk",), given=("clerk",)
    )


def test_what_a_mapping_gave_goes_with_its_connection_and_nothing_else() -> None:
    held = made.account(role_names=("own", "theirs", "others"))
    ended, other = (
        ExternalIdentity(
            factor_id=f"fac_{role}",
            account_id=held.id,
            issuer="https://accounts.example.com",
            subject=role,
            email="",
            mapped_roles=(role,),
        )
        for role in ("theirs", "others")
    )
    assert without_mapped(held, [ended]).role_names == ("own", "others")
    assert without_mapped(held, [ended, other]).role_names == ("own",)
    assert without_mapped(held, []) == held
