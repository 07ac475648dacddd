"""JSON Web Keys: which are accepted, for which one algorithm, and that no private member is published."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from doorward_verify.encoding import b64url_encode
from doorward_verify.jwk import (
    PRIVATE_MEMBERS,
    InvalidKey,
    SigningKey,
    parse_private,
    parse_public,
    signing_key,
    verifying_key,
)
from doorward_verify.keyset import MAX_JWKS_BYTES, KeySet, parse_jwks
from tests.verify.tokens import ED, EVERY_KEY, ISSUER, P256, P384, RS

by_algorithm = pytest.mark.parametrize("key", EVERY_KEY, ids=lambda key: key.alg)


@by_algorithm
def test_a_private_key_round_trips_through_its_jwk(key: SigningKey) -> None:
    again = parse_private(json.loads(json.dumps(key.private_jwk())))
    assert (again.kid, again.alg) == (key.kid, key.alg)
    key.public().verify(again.sign(b"data"), b"data")


@pytest.mark.requirement(53)
@by_algorithm
def test_a_published_jwk_has_no_private_member(key: SigningKey) -> None:
    assert PRIVATE_MEMBERS & set(key.private_jwk())
    for published in (
        key.public_jwk(),
        key.public().public_jwk(),
        KeySet(ISSUER, (key.public(),)).jwks()["keys"][0],
    ):
        assert not PRIVATE_MEMBERS & set(published)
        assert parse_public(published).thumbprint == key.public().thumbprint
        private_values = {value for name, value in key.private_jwk().items() if name in PRIVATE_MEMBERS}
        assert not private_values & set(published.values())


@pytest.mark.requirement(53)
@by_algorithm
def test_neither_half_shows_the_key_in_its_repr(key: SigningKey) -> None:
    assert key.private_jwk()["d"] not in repr(key)
    assert "PrivateKey" not in repr(key)


@pytest.mark.requirement(53)
@by_algorithm
def test_a_published_private_key_is_not_used(key: SigningKey) -> None:
    with pytest.raises(InvalidKey, match="no secret"):
        parse_public(key.private_jwk())
    found = parse_jwks(ISSUER, {"keys": [key.private_jwk(), P384.public_jwk()]})
    assert [one.kid for one in found.keys] == ["p384"]
    assert "no secret" in found.unusable[0]


@pytest.mark.requirement(41)
@pytest.mark.parametrize(
    ("key", "alg"),
    [(P256, "ES384"), (P256, "RS256"), (P256, "HS256"), (RS, "HS256"), (RS, "ES256"), (ED, "ES256")],
)
def test_each_key_has_one_algorithm_of_its_type(key: SigningKey, alg: str) -> None:
    with pytest.raises(InvalidKey):
        parse_public({**key.public_jwk(), "alg": alg})


@pytest.mark.requirement(41)
def test_a_key_without_alg_gets_one_algorithm() -> None:
    named = {"p256": "ES256", "p384": "ES384", "p521": "ES512", "ed": "EdDSA", "rs": "RS256", "ps": "RS256"}
    for key in EVERY_KEY:
        jwk = {name: value for name, value in key.public_jwk().items() if name != "alg"}
        assert parse_public(jwk).alg == named[key.kid]


@pytest.mark.requirement(41)
def test_a_symmetric_key_in_a_key_set_is_left_out() -> None:
    found = parse_jwks(ISSUER, {"keys": [{"kty": "oct", "kid": "x", "k": b64url_encode(b"x" * 32)}]})
    assert found.keys == ()


@pytest.mark.requirement(49)
def test_rsa_has_at_least_2048_bits() -> None:
    small = rsa.generate_private_key(65537, 1024)
    with pytest.raises(InvalidKey, match="2048"):
        signing_key(small, alg="RS256")
    numbers = small.public_key().public_numbers()
    jwk = {"kty": "RSA", "n": b64url_encode(numbers.n.to_bytes(128, "big")), "e": "AQAB"}
    with pytest.raises(InvalidKey, match="2048"):
        parse_public(jwk)


@pytest.mark.requirement(49)
@pytest.mark.parametrize("member", ["x", "y"])
@pytest.mark.parametrize("key", EVERY_KEY[:3], ids=lambda key: key.alg)
def test_a_point_off_its_curve_is_refused(key: SigningKey, member: str) -> None:
    jwk = key.public_jwk()
    flipped = "B" if jwk[member][5] == "A" else "A"
    with pytest.raises(InvalidKey):
        parse_public({**jwk, member: jwk[member][:5] + flipped + jwk[member][6:]})


@pytest.mark.requirement(49)
@pytest.mark.parametrize(
    "change",
    [
        {"crv": "P-384"},
        {"crv": "secp256k1"},
        {"crv": None},
        {"x": "AA"},
        {"x": "A" * 44},
        {"x": 5},
        {"y": None},
        {"x": b64url_encode(b"\0" * 32), "y": b64url_encode(b"\0" * 32)},
        {"kty": "RSA"},
        {"kty": "OKP"},
        {"kty": "ec"},
        {"kty": None},
        {"kid": 5},
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"alg": 7},
    ],
    ids=str,
)
def test_an_invalid_jwk_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidKey):
        parse_public({**P256.public_jwk(), **change})


@pytest.mark.requirement(49)
@pytest.mark.parametrize("exponent", [b"\x01", b"\x00", b"\x02", b"\x04", b"\xff" * 64], ids=str)
def test_an_rsa_exponent_out_of_bounds_is_refused(exponent: bytes) -> None:
    with pytest.raises(InvalidKey):
        parse_public({**RS.public_jwk(), "e": b64url_encode(exponent)})


@pytest.mark.requirement(49)
def test_an_rsa_modulus_large_enough_for_a_denial_of_service_is_refused() -> None:
    with pytest.raises(InvalidKey):
        parse_public({**RS.public_jwk(), "n": b64url_encode(b"\xff" * 4096)})


def test_other_kinds_of_keys_are_refused() -> None:
    with pytest.raises(InvalidKey, match="curve"):
        verifying_key(ec.generate_private_key(ec.SECP256K1()).public_key())
    assert not isinstance(dsa.generate_private_key(2048), rsa.RSAPrivateKey)


def test_the_halves_of_a_private_jwk_must_match() -> None:
    other = signing_key(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(InvalidKey, match="another key"):
        parse_private({**P256.private_jwk(), "d": other.private_jwk()["d"]})


@pytest.mark.requirement(50)
@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":[],"keys":[]}',
        b"<html>",
        b'{"keys":[' + b"{}," * 128 + b"{}]}",
        b'{"keys":[],"p":"' + b"x" * MAX_JWKS_BYTES + b'"}',
    ],
    ids=range(8),
)
def test_a_document_that_is_no_key_set_or_too_big_is_refused(document: bytes) -> None:
    with pytest.raises(InvalidKey):
        parse_jwks(ISSUER, document)


def test_a_key_of_an_unknown_type_does_not_disable_the_others() -> None:
    strange = [
        {"kty": "AKP", "alg": "ML-DSA-44"},
        {"kty": "EC", "crv": "secp256k1"},
        5,
        {"kty": "RSA", "n": 1},
    ]
    found = parse_jwks(ISSUER, {"keys": [*strange, P256.public_jwk()]})
    assert [key.kid for key in found.keys] == ["p256"]
    assert len(found.unusable) == len(strange)
