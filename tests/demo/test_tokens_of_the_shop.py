"""ID tokens and logout tokens at the demo app: only current ones for this app are accepted, each logout token once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from doorward_demo.demo import id_token
from doorward_demo.demo.shop import logout_token
from doorward_verify import jwk, jws
from doorward_verify.auth_error import AuthError
from doorward_verify.keyset import KeySet, key_set

ISSUER, CLIENT, NOW, ACCESS = "https://auth.example.com", "app_1", 1_800_000_000, "an.access.token"
KEY = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="k1")
OTHER = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="k1")
KEYS: KeySet = key_set(ISSUER, [KEY.public()])
IDENTITY: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "usr_1",
    "aud": CLIENT,
    "iat": NOW - 5,
    "exp": NOW + 300,
    "nonce": "n1",
    "sid": "ses_1",
    "at_hash": id_token.at_hash(ACCESS, "ES256"),
}
GOODBYE: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "usr_1",
    "aud": CLIENT,
    "iat": NOW - 5,
    "exp": NOW + 115,
    "jti": "j1",
    "sid": "ses_1",
    "events": {logout_token.EVENT: {}},
}


def signed(claims: dict[str, Any], typ: str, key: jwk.SigningKey = KEY) -> str:
    return jws.sign(msgspec.json.encode(claims), key, typ=typ)


def identity(token: str, *, nonce: str | None = "n1", now: float = NOW) -> id_token.IdToken:
    return id_token.verify(
        token, KEYS, issuer=ISSUER, client_id=CLIENT, nonce=nonce, access_token=ACCESS, now=now
    )


def goodbye(token: str, seen: logout_token.SeenOnce | None = None, now: float = NOW) -> logout_token.Ended:
    return logout_token.verify(
        token, KEYS, issuer=ISSUER, client_id=CLIENT, seen=seen or logout_token.SeenOnce(), now=now
    )


def without(claims: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if name not in names}


def test_a_good_id_token_gives_the_person_and_the_session() -> None:
    found = identity(signed(IDENTITY, "JWT"))
    assert (found.sub, found.sid) == ("usr_1", "ses_1")
    assert identity(signed({**IDENTITY, "aud": [CLIENT]}, "JWT")).sub == "usr_1"
    two = {**IDENTITY, "aud": [CLIENT, "app_2"], "azp": CLIENT}
    assert identity(signed(two, "JWT")).sub == "usr_1"
    assert identity(signed(without(IDENTITY, "nonce"), "JWT"), nonce=None).sub == "usr_1"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"iss": "https://evil.example.com"}, "issuer"),
        ({"aud": "app_2"}, "audience"),
        ({"aud": [CLIENT, "app_2"]}, "audience"),
        ({"aud": [CLIENT, "app_2"], "azp": "app_2"}, "audience"),
        ({"aud": None}, "audience"),
        ({"exp": NOW - 11}, "expired"),
        ({"exp": "soon"}, "claims"),
        ({"exp": True}, "claims"),
        ({"iat": None}, "claims"),
        ({"iat": NOW + 11}, "not_yet_valid"),
        ({"nonce": "n2"}, "claims"),
        ({"nonce": None}, "claims"),
        ({"nonce": "ñ"}, "claims"),
        ({"at_hash": "AAAA"}, "claims"),
        ({"at_hash": None}, "claims"),
        ({"sub": ""}, "claims"),
        ({"sub": 7}, "claims"),
    ],
)
def test_an_id_token_of_another_sign_in_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(AuthError) as refused:
        identity(signed({**IDENTITY, **change}, "JWT"))
    assert refused.value.reason == reason


def test_an_id_token_of_another_key_or_kind_is_refused() -> None:
    with pytest.raises(AuthError, match="signature"):
        identity(signed(IDENTITY, "JWT", OTHER))
    with pytest.raises(AuthError, match="type"):
        identity(signed(IDENTITY, "at+jwt"))
    with pytest.raises(AuthError, match="type"):
        identity(signed(IDENTITY, "logout+jwt"))


@pytest.mark.requirement(76)
def test_a_good_logout_token_gives_the_ended_session() -> None:
    assert goodbye(signed(GOODBYE, "logout+jwt")) == logout_token.Ended("ses_1", "usr_1")
    assert goodbye(signed(without(GOODBYE, "sid"), "logout+jwt")).sid is None


@pytest.mark.requirement(76)
@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({**GOODBYE, "iss": "https://evil.example.com"}, "issuer"),
        ({**GOODBYE, "aud": "app_2"}, "audience"),
        ({**GOODBYE, "exp": NOW - 11}, "expired"),
        ({**GOODBYE, "iat": NOW - 301}, "expired"),
        ({**GOODBYE, "iat": NOW + 11}, "not_yet_valid"),
        ({**GOODBYE, "nonce": "n1"}, "claims"),
        ({**GOODBYE, "events": {}}, "claims"),
        ({**GOODBYE, "events": [logout_token.EVENT]}, "claims"),
        ({**GOODBYE, "events": {logout_token.EVENT: 1}}, "claims"),
        ({**GOODBYE, "sid": 7}, "claims"),
        (without(GOODBYE, "sid", "sub"), "claims"),
        (without(GOODBYE, "jti"), "claims"),
        (without(GOODBYE, "exp"), "claims"),
        (without(GOODBYE, "events"), "claims"),
    ],
)
def test_a_token_that_reports_no_logout_for_this_app_is_refused(claims: dict[str, Any], reason: str) -> None:
    with pytest.raises(AuthError) as refused:
        goodbye(signed(claims, "logout+jwt"))
    assert refused.value.reason == reason


@pytest.mark.requirement(76)
def test_an_id_token_is_refused_as_a_logout_token() -> None:
    with pytest.raises(AuthError, match="type"):
        goodbye(signed({**GOODBYE}, "JWT"))


def test_a_logout_token_is_accepted_once_and_its_id_is_kept_until_it_expires() -> None:
    seen = logout_token.SeenOnce()
    token = signed(GOODBYE, "logout+jwt")
    goodbye(token, seen)
    with pytest.raises(AuthError, match="already"):
        goodbye(token, seen)
    assert seen.first_time("j2", NOW)
    assert seen.first_time("j1", NOW + 1000), "long past the time at which it would be accepted"
