"""Is what is said about a person exactly what scopes and names ask for?"""

from __future__ import annotations

from typing import Any

from doorward.model.client import Client
from doorward.rules.issue.tokens import person
from tests.rules import made


def names(
    *scopes: str, asked: dict[str, Any] | None = None, client: Client | None = None, **account: Any
) -> set[str]:
    return set(
        person.claims(made.account(**account), client or made.client(), scopes=scopes, asked=asked or {})
    )


def test_scopes_stand_for_their_claims() -> None:
    assert names("openid", "orders:read") == set()
    assert names("email") == {"email", "email_verified"}
    assert names("profile") == {"name", "locale"}


def test_a_name_opens_one_claim_if_the_app_is_registered_for_its_scope() -> None:
    assert names(asked={"email": None, "nonsense": {"essential": True}, "acr": None}) == {"email"}
    assert names(asked={"email": None}, client=made.client(oidc_scopes=("openid", "profile"))) == set()


def test_what_is_not_known_is_left_out() -> None:
    assert names("profile", name=None, locale=None) == set()
