"""Entitlement: the intersection of what the person, the app and the API allow."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Role
from doorward.features.oauth.clients.rules.entitle import Granted, entitle
from tests.features import made

ROLES = {
    "reader": Role("rol_r", "reader", {made.API: ("orders:read",)}, made.NOW),
    "writer": Role("rol_w", "writer", {made.API: ("orders:write", "orders:gone")}, made.NOW),
    "other": Role("rol_o", "other", {"urn:example:other": ("orders:read",)}, made.NOW),
}
CONFIG = made.config(roles=ROLES)


def give(
    scopes: Sequence[str],
    roles: Sequence[str] | None,
    *,
    client: Client | None = None,
    audience: str = made.API,
) -> Granted:
    return entitle(
        config=CONFIG, client=client or made.client(), audience=audience, scopes=scopes, role_names=roles
    )


@pytest.mark.requirement(21)
def test_a_person_gets_the_permissions_of_their_roles() -> None:
    asked = ("openid", "orders:read", "orders:write")
    assert give(asked, ["reader"]) == Granted(("openid", "orders:read"), ("orders:read",), ("reader",))
    assert give(asked, ["reader", "writer"]).permissions == ("orders:read", "orders:write")
    assert give(asked, []) == Granted(("openid",), (), ())
    # a role of another API grants nothing and is not listed
    assert give(asked, ["other"]) == Granted(("openid",), (), ())
    assert give(asked, ["never heard of"]) == Granted(("openid",), (), ())


@pytest.mark.requirement(21)
def test_app_and_api_limit_the_grant_too() -> None:
    narrow = made.client(access={made.API: ("orders:read",)})
    assert give(("orders:read", "orders:write"), ["reader", "writer"], client=narrow).permissions == (
        "orders:read",
    )
    # a permission removed from the API
    wide = made.client(access={made.API: ("orders:gone",)})
    assert give(("orders:gone",), ["writer"], client=wide).scopes == ()
    assert give(("orders:read",), ["reader"], client=made.client(access={})).scopes == ()


def test_an_app_acting_for_itself_gets_no_openid_scope_and_no_role() -> None:
    granted = give(("openid", "email", "orders:write"), None)
    assert granted == Granted(("orders:write",), ("orders:write",), ())


def test_the_issuer_as_audience_has_no_permissions() -> None:
    granted = give(("openid", "orders:read"), ["reader"], audience=made.ISSUER)
    assert granted == Granted(("openid",), (), ())


def test_openid_scopes_removed_from_the_app_are_not_granted() -> None:
    client = made.client(oidc_scopes=("openid", "orders:write"))
    assert give(("openid", "email", "orders:write"), [], client=client).scopes == ("openid",)


NAMES = st.sampled_from(
    ["openid", "email", "offline_access", "orders:read", "orders:write", "orders:gone", "x", ""]
)


@pytest.mark.requirement(21)
@given(
    asked=st.lists(NAMES),
    held=st.one_of(st.none(), st.lists(st.sampled_from(["reader", "writer", "other", "x"]))),
    may=st.lists(NAMES),
)
def test_only_what_was_requested_held_and_allowed_is_granted(
    asked: list[str], held: list[str] | None, may: list[str]
) -> None:
    granted = give(asked, held, client=made.client(access={made.API: tuple(may)}))
    assert set(granted.scopes) <= set(asked)
    assert set(granted.permissions) <= set(granted.scopes) & set(may) & {"orders:read", "orders:write"}
    if held is not None:
        reached = {
            name for role in held if role in ROLES for name in ROLES[role].permissions.get(made.API, ())
        }
        assert set(granted.permissions) <= reached
    assert len(set(granted.scopes)) == len(granted.scopes)
