"""ID token: bound to this app and this sign-in."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.client import Client
from doorward.features.oauth.tokens.rules import id_token
from tests.features import made


def claims(*, first: bool = True, app: Client | None = None, **grant: Any) -> dict[str, Any]:
    held = made.grant(**grant)
    return id_token.claims(
        held,
        account=made.account(),
        client=app or made.client(),
        config=made.config(),
        scopes=held.scopes,
        access_token="t",
        issuer=made.ISSUER,
        now=made.NOW,
        ttl=300,
        first=first,
    )


def test_it_describes_who_signed_in_when_and_how() -> None:
    said = claims()
    assert said["iss"] == made.ISSUER
    assert said["sub"] == "usr_ada"
    assert said["aud"] == "app_web"
    assert (said["iat"], said["exp"]) == (made.NOW, made.NOW + 300)
    assert said["auth_time"] == made.NOW - 100
    assert (said["acr"], said["amr"]) == ("urn:doorward:aal1", ("pwd",))
    assert said["sid"] == "ses_one"


def test_only_the_first_id_token_has_the_nonce() -> None:
    assert claims()["nonce"] == "n-0"
    assert "nonce" not in claims(first=False)
    assert "nonce" not in claims(nonce=None)


def test_a_requested_claim_cannot_replace_a_protocol_claim() -> None:
    wish = {"id_token": {name: {"value": "forged"} for name in ("iss", "sub", "aud", "exp", "nonce", "acr")}}
    assert claims(claims=wish) == claims()
    assert claims(claims={"id_token": {"name": None}})["name"] == "Ada"
    assert "sid" not in claims(session_id=None)


@pytest.mark.parametrize(
    ("alg", "expected"),
    [
        # The access token of OpenID Connect Core §A.3, whose at_hash for RS256 is printed there.
        ("RS256", "77QmUPtjPfzWtF2AnpK9RQ"),
        ("ES256", "77QmUPtjPfzWtF2AnpK9RQ"),
    ],
)
def test_at_hash_is_the_left_half_of_the_hash(alg: Any, expected: str) -> None:
    assert id_token.at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", alg) == expected


def test_at_hash_for_ed25519_is_half_of_sha_512() -> None:
    assert len(id_token.at_hash("t", "Ed25519")) == 43


def test_scope_claims_are_included_unless_the_app_wants_only_claims_requested_by_name() -> None:
    scopes = ("openid", "email", "profile", "roles")
    every = made.client(oidc_scopes=scopes)
    assert {"email", "email_verified", "name", "roles"} <= claims(app=every, scopes=scopes).keys()
    asked = made.client(oidc_scopes=scopes, id_token_claims="asked")
    assert (
        not {"email", "email_verified", "name", "roles", "preferred_username"}
        & claims(app=asked, scopes=scopes).keys()
    )
    named = claims(app=asked, scopes=scopes, claims={"id_token": {"roles": None}, "userinfo": {"name": None}})
    assert named["roles"] == ("reader",)
    assert not {"email", "name"} & named.keys()
