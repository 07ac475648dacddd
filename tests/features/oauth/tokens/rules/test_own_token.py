"""Recognition of our own access tokens; everything that only resembles one is refused."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import encode

from doorward.features.oauth.clients.rules.entitle import Granted
from doorward.features.oauth.tokens.rules import access, id_token, own_token, person
from doorward.features.oauth.tokens.rules.entitlement import of_grant
from doorward_verify import jwk, jws
from doorward_verify.keyset import key_set
from tests.features import made
from tests.verify.tokens import raw

KEY = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="k")
SAID: dict[str, Any] = {
    "iss": made.ISSUER,
    "exp": made.NOW + 10,
    "client_id": "app_web",
    "jti": "grt_one.x",
    "scope": "openid",
}
KEYS = key_set(made.ISSUER, [KEY.public()])


def claims(token: str, now: int = made.NOW) -> dict[str, Any] | None:
    return own_token.claims(token, KEYS, issuer=made.ISSUER, now=now)


def token(typ: str = "at+jwt", **changes: Any) -> str:
    return jws.sign(encode({**SAID, **changes}), KEY, typ=typ)


@pytest.mark.requirement(39, 47)
def test_only_an_unexpired_access_token_of_this_issuer_is_accepted() -> None:
    assert claims(token()) is not None
    assert claims(token(), made.NOW + 10) is None
    assert claims(token("logout+jwt")) is None
    assert claims(token(iss="https://other.example.com")) is None
    for exp in (None, "9999999999", made.NOW):
        assert claims(token(exp=exp)) is None


@pytest.mark.requirement(39)
def test_an_access_token_of_type_jwt_is_distinguished_from_an_id_token_by_its_claims() -> None:
    account, client, config = made.account(name="Ada"), made.client(), made.config()
    said = access.claims(
        of_grant(made.grant(), account=account, granted=Granted(("openid",), (), ())),
        issuer=made.ISSUER, now=made.NOW, ttl=60, unique="x",
    )  # fmt: skip
    assert own_token.is_access(said)
    assert claims(jws.sign(encode(said), KEY, typ="JWT")) is not None
    everything = {"id_token": dict.fromkeys((*person.CLAIMS, "client_id", "jti", "scope"))}
    identity = id_token.claims(
        made.grant(claims=everything), account=account, client=client, config=config,
        scopes=("openid", "profile", "email", "roles", "groups"), access_token="x", issuer=made.ISSUER,
        now=made.NOW, ttl=60, first=True,
    )  # fmt: skip
    assert not own_token.is_access(identity)
    assert claims(jws.sign(encode(identity), KEY, typ="JWT")) is None
    # not even an ID token with added client_id, jti and scope claims
    assert claims(token("JWT", at_hash="x")) is None
    for missing in ("client_id", "jti", "scope"):
        less = {name: value for name, value in SAID.items() if name != missing}
        assert claims(jws.sign(encode(less), KEY, typ="JWT")) is None
    assert claims(token("JWT", events={})) is None


def test_a_foreign_key_with_the_same_kid_is_not_trusted() -> None:
    other = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="k")
    assert claims(jws.sign(encode(SAID), other, typ="at+jwt")) is None


@pytest.mark.requirement(43)
def test_a_key_or_key_url_inside_the_token_is_ignored() -> None:
    other = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="k")
    header = {"alg": "ES256", "kid": "k", "typ": "at+jwt"}
    payload = SAID
    brought: list[dict[str, Any]] = [
        {"jwk": other.public_jwk()},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/certificate"},
        {"x5c": ["Y2VydGlmaWNhdGU="]},
    ]
    for members in brought:
        assert claims(raw({**header, **members}, payload, other)) is None
        # with a valid signature they change nothing
        assert claims(raw({**header, **members}, payload, KEY)) is not None


@given(st.text())
def test_any_text_is_handled_without_an_exception(text: str) -> None:
    assert claims(text) is None
