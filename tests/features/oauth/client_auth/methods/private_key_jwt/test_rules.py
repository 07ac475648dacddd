"""Client authentication `private_key_jwt` (RFC 7523): signed by the app, for this server, recently."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from msgspec import structs
from msgspec.json import encode

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.secret import Secret
from doorward.features.oauth.client_auth.method import Presented, SingleUse
from doorward.features.oauth.client_auth.methods.private_key_jwt.rules import PrivateKeyJwt
from doorward_verify import jwk, jws
from tests.features import made
from tests.features.oauth.clients.weak_keys import roca_key

KEY = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="k1")
EDWARDS = jwk.signing_key(ed25519.Ed25519PrivateKey.generate(), kid="k2")
APP = made.client(
    auth_method="private_key_jwt", secrets=(), jwks={"keys": [KEY.public_jwk(), EDWARDS.public_jwk()]}
)
NOW = made.NOW


def check(presented: Presented, client: Client) -> SingleUse | OAuthError:
    return PrivateKeyJwt().verify(
        presented,
        client,
        made.token_request(),
        issuer=made.ISSUER,
        policy=TokenPolicy(assertion_max_age=300),
    )


def judge(
    *,
    key: jwk.SigningKey = KEY,
    typ: str = "JWT",
    drop: str = "",
    changes: dict[str, Any] | None = None,
    **more: Any,
) -> SingleUse | OAuthError:
    claims = {
        "iss": APP.id,
        "sub": APP.id,
        "aud": made.ISSUER,
        "jti": "j1",
        "iat": NOW,
        "exp": NOW + 60,
        **(changes or {}),
        **more,
    }
    claims.pop(drop, None)
    return present(jws.sign(encode(claims), key, typ=typ))


def present(token: str) -> SingleUse | OAuthError:
    shown = Presented("private_key_jwt", APP.id, assertion=Secret(token))
    return check(shown, APP)


def test_a_valid_assertion_is_remembered_until_it_expires() -> None:
    for key in (KEY, EDWARDS):
        good = judge(key=key)
        assert isinstance(good, SingleUse)
        assert good.id == "j1"
        assert good.remember_until > NOW + 60
    assert isinstance(judge(typ="client-authentication+jwt"), SingleUse)
    long = judge(exp=NOW + 86_400)
    assert isinstance(long, SingleUse)
    assert NOW + 300 < long.remember_until < NOW + 400


@pytest.mark.requirement(22)
@pytest.mark.parametrize(
    "aud",
    [
        f"{made.ISSUER}/token",
        f"{made.ISSUER}/",
        [],
        [f"{made.ISSUER}/token"],
        [made.ISSUER, made.ISSUER],
        [[made.ISSUER]],
        {made.ISSUER: 1},
        [made.ISSUER, "https://evil.example.com"],
        "",
        None,
        1,
    ],
)
def test_other_audiences_are_refused(aud: object) -> None:
    assert isinstance(judge(aud=aud), OAuthError)


@pytest.mark.requirement(22)
@pytest.mark.parametrize("aud", [made.ISSUER, [made.ISSUER]])
def test_the_audience_is_the_issuer_or_a_list_with_only_the_issuer(aud: object) -> None:
    assert isinstance(judge(aud=aud), SingleUse)


@pytest.mark.requirement(23)
@pytest.mark.parametrize(
    ("ahead", "accepted"), [(0, True), (10, True), (30, True), (61, False), (600, False)]
)
@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_a_clock_may_be_ten_seconds_ahead_and_never_more_than_sixty(
    name: str, ahead: int, accepted: bool
) -> None:
    assert isinstance(judge(changes={name: NOW + ahead}), SingleUse) is accepted


@pytest.mark.requirement(23)
def test_an_old_or_long_lived_assertion_is_refused() -> None:
    assert isinstance(judge(exp=NOW), OAuthError)
    assert isinstance(judge(iat=NOW - 301, exp=NOW + 60), OAuthError)
    assert isinstance(judge(iat=NOW - 299, exp=NOW + 60), SingleUse)
    assert isinstance(judge(drop="iat", exp=NOW + 300), SingleUse)
    assert isinstance(judge(drop="iat", exp=NOW + 3600), OAuthError)


@pytest.mark.requirement(23)
@pytest.mark.parametrize("drop", ["iss", "sub", "aud", "exp", "jti"])
def test_every_required_claim_is_required(drop: str) -> None:
    assert isinstance(judge(drop=drop), OAuthError)


@pytest.mark.parametrize(
    "changes",
    [{"iss": "app_other"}, {"sub": "app_other"}, {"jti": ""}, {"jti": 1}, {"jti": "x" * 300}, {"exp": "1"}],
)
def test_claims_of_another_app_or_of_a_wrong_type_are_refused(changes: dict[str, Any]) -> None:
    assert isinstance(judge(changes=changes), OAuthError)


@pytest.mark.requirement(40, 42)
def test_the_assertion_must_be_signed_with_one_of_the_apps_keys() -> None:
    other = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="k1")
    assert isinstance(judge(key=other), OAuthError)
    head, body, _ = jws.sign(b"{}", KEY, typ="JWT").split(".")
    for token in (f"{head}.{body}.", f"eyJhbGciOiJub25lIn0.{body}.", "a.b.c", "", "x"):
        assert isinstance(present(token), OAuthError)
    assert isinstance(judge(typ="at+jwt"), OAuthError)


def test_an_app_without_keys_and_a_missing_assertion_are_refused() -> None:
    bare = made.client(auth_method="private_key_jwt", jwks=None)
    shown = Presented("private_key_jwt", "app_web", assertion=Secret("x"))
    for presented, client in ((shown, bare), (Presented("private_key_jwt", "app_web"), APP)):
        assert isinstance(check(presented, client), OAuthError)


@pytest.mark.requirement(49)
def test_a_factorable_key_proves_nothing_even_if_registered() -> None:
    card = roca_key()
    weak = made.client(auth_method="private_key_jwt", secrets=(), jwks={"keys": [card.public_jwk()]})
    both = structs.replace(weak, jwks={"keys": [card.public_jwk(), KEY.public_jwk()]})
    claims = {"iss": APP.id, "sub": APP.id, "aud": made.ISSUER, "jti": "j1", "iat": NOW, "exp": NOW + 60}

    def by(key: jwk.SigningKey, client: Client) -> SingleUse | OAuthError:
        shown = Presented(
            "private_key_jwt", APP.id, assertion=Secret(jws.sign(encode(claims), key, typ="JWT"))
        )
        return check(shown, client)

    refused = by(card, weak)
    assert isinstance(refused, OAuthError)
    assert "ROCA" in refused.reason
    assert isinstance(by(card, both), OAuthError)
    # the app's other key, the successor in its rotation, works
    assert isinstance(by(KEY, both), SingleUse)
