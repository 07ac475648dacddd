"""Claims about a person: exactly those requested by scopes and by name."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.client import Client
from doorward.features.oauth.clients.rules.scope import OIDC_SCOPES
from doorward.features.oauth.tokens.rules import person
from tests.features import made


def names(
    *scopes: str, asked: dict[str, Any] | None = None, client: Client | None = None, **account: Any
) -> set[str]:
    return set(
        person.claims(
            made.account(**account),
            client or made.client(),
            config=made.config(),
            scopes=scopes,
            asked=asked or {},
        )
    )


def test_scopes_expand_to_their_claims() -> None:
    assert names("openid", "orders:read") == set()
    assert names("email") == {"email", "email_verified"}
    assert names("profile") == {"name", "locale"}


def test_a_claim_by_name_requires_an_app_registered_for_its_scope() -> None:
    assert names(asked={"email": None, "nonsense": {"essential": True}, "acr": None}) == {"email"}
    assert names(asked={"email": None}, client=made.client(oidc_scopes=("openid", "profile"))) == set()


def test_unknown_values_are_omitted() -> None:
    assert names("profile", name=None, locale=None) == set()


ALL = made.client(oidc_scopes=OIDC_SCOPES)
FULL = made.account(given_name="Ada", family_name="Lovelace", zoneinfo="Europe/London", updated_at=made.NOW)


def said(*scopes: str, asked: dict[str, Any] | None = None, client: Client = ALL) -> dict[str, Any]:
    return person.claims(FULL, client, config=made.config(), scopes=scopes, asked=asked or {})


@pytest.mark.parametrize("place", ["roles", "groups"])
def test_roles_are_included_under_either_requested_name(place: str) -> None:
    assert said("openid", place) == {place: ("reader",)}
    assert said("openid", asked={place: None}) == {place: ("reader",)}
    # only for an app that is registered for that scope
    assert said("openid", place, asked={place: {"essential": True}}, client=made.client()) == {}


def test_a_deleted_role_is_omitted_and_no_role_is_an_empty_list() -> None:
    gone = made.account(role_names=("gone", "reader"))
    nobody = made.account(role_names=())
    for who, held in ((gone, ("reader",)), (nobody, ())):
        claims = person.claims(who, ALL, config=made.config(), scopes=("roles",), asked={})
        assert claims == {"roles": held}


def test_a_permission_of_the_same_name_is_not_a_scope_of_the_app() -> None:
    assert said("groups", client=made.client(access={made.API: ("groups",)})) == {}


def test_the_profile_scope_includes_every_known_value() -> None:
    assert said("openid", "profile") == {
        "name": "Ada",
        "given_name": "Ada",
        "family_name": "Lovelace",
        "locale": "en",
        "zoneinfo": "Europe/London",
        "updated_at": made.NOW,
    }


def test_the_email_address_is_the_user_name_only_where_the_email_is_visible() -> None:
    assert said("profile", "email")["preferred_username"] == "ada@example.com"
    assert "preferred_username" not in said("profile")
    assert said(asked={"preferred_username": None}) == {}
    assert said("email", asked={"preferred_username": None})["preferred_username"] == "ada@example.com"
    assert "preferred_username" not in said(
        "profile", "email", client=made.client(oidc_scopes=("openid", "profile"))
    )


def test_scopes_behind_claims_by_name_are_limited_to_the_apps_own() -> None:
    asked = {"userinfo": {"email": None, "acr": None}, "id_token": {"roles": None, "nonsense": None}}
    assert person.scopes_behind(ALL, asked) == ("email", "roles")
    assert person.scopes_behind(made.client(oidc_scopes=("openid", "email")), asked) == ("email",)
    assert person.scopes_behind(ALL, {"id_token": {}}) == ()


def test_somebody_without_an_address_has_no_claim_of_one() -> None:
    assert names("email", "profile", email=None) == {"name", "locale"}
    assert (
        names(asked={"email": None, "email_verified": None, "preferred_username": None}, email=None) == set()
    )
