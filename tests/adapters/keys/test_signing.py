"""Signing keys: creation, sealing, and use according to the configuration snapshot."""

from __future__ import annotations

from typing import Any

import jwt
import msgspec
import pytest
from msgspec import structs

from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.signing import SealedKeyMaker, SnapshotSigner
from doorward.core.model.client import SigningAlgorithm
from doorward.core.model.config_snapshot import KeyState, StoredSigningKey
from doorward_verify import jws
from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import b64url_decode

ISSUER = "https://auth.example.com"
SEALER = KeyedSealer(b"k" * 32)
CLAIMS = {"iss": ISSUER, "aud": "https://api.example.com", "sub": "usr_1", "exp": 4_000_000_000, "iat": 1}
ALGORITHMS: tuple[SigningAlgorithm, ...] = ("ES256", "RS256", "Ed25519")


def made(name: str, state: KeyState, alg: SigningAlgorithm = "ES256") -> StoredSigningKey:
    return structs.replace(SealedKeyMaker(SEALER).make(name, alg, 1_800_000_000), state=state)


def signer(*keys: StoredSigningKey) -> SnapshotSigner:
    built = SnapshotSigner(issuer=ISSUER, sealer=SEALER)
    built.install(keys)
    return built


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_token_verifies_with_our_and_with_another_library(alg: SigningAlgorithm) -> None:
    ours = signer(made("key_1", "current", alg))
    for _ in range(50 if alg != "RS256" else 3):
        token = ours.sign(CLAIMS, typ="at+jwt", alg=alg)
        assert jws.verify(token, ours.keys(), algorithms=[alg], types={"at+jwt"}).kid == "key_1"
        public = jwt.PyJWK(ours.jwks()["keys"][0], algorithm="EdDSA" if alg == "Ed25519" else alg)
        if alg != "Ed25519":  # the other library knows the algorithm only by its older name
            decoded = jwt.decode(token, public, algorithms=[alg], audience=CLAIMS["aud"], issuer=ISSUER)
            assert decoded == CLAIMS


def test_the_header_contains_only_algorithm_key_and_type() -> None:
    token = signer(made("key_1", "current")).sign(CLAIMS, typ="logout+jwt")
    head = msgspec.json.decode(b64url_decode(token.partition(".")[0]))
    assert head == {"alg": "ES256", "kid": "key_1", "typ": "logout+jwt"}


@pytest.mark.requirement(53)
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_no_private_member_is_ever_published(alg: SigningAlgorithm) -> None:
    key = made("key_1", "current", alg)
    private = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
    assert private.isdisjoint(key.public_jwk)
    for published in signer(key).jwks()["keys"]:
        assert private.isdisjoint(published)
        assert published["kid"] == "key_1"
        assert published["alg"] == alg


def test_an_rsa_key_has_exactly_2048_bits() -> None:
    for _ in range(3):
        modulus = made("key_1", "current", "RS256").public_jwk["n"]
        assert int.from_bytes(b64url_decode(modulus), "big").bit_length() == 2048


def test_the_private_half_is_sealed_under_its_row() -> None:
    key = made("key_1", "current")
    clear = msgspec.json.decode(SEALER.open("signing key", "key_1", key.sealed))
    assert clear["d"]
    assert clear["d"].encode() not in key.sealed
    with pytest.raises(ValueError, match="not sealed for this"):
        signer(structs.replace(key, id="key_2"))


@pytest.mark.requirement(52)
def test_next_current_and_previous_are_published_and_only_current_signs() -> None:
    keys = [
        made("key_p", "previous"),
        made("key_c", "current"),
        made("key_n", "next"),
        made("key_r", "revoked"),
        made("key_o", "retired"),
    ]
    ours = signer(*keys)
    assert [key["kid"] for key in ours.jwks()["keys"]] == ["key_p", "key_c", "key_n"]
    token = ours.sign(CLAIMS, typ="at+jwt")
    assert jwt.get_unverified_header(token)["kid"] == "key_c"


@pytest.mark.requirement(52)
def test_after_a_rotation_old_tokens_still_verify_and_after_revoking_they_do_not() -> None:
    old, new = made("key_a", "current"), made("key_b", "next")
    ours = signer(old, new)
    token = ours.sign(CLAIMS, typ="at+jwt")
    ours.install([structs.replace(old, state="previous"), structs.replace(new, state="current")])
    assert jws.verify(token, ours.keys(), algorithms=["ES256"], types={"at+jwt"}).kid == "key_a"
    assert jwt.get_unverified_header(ours.sign(CLAIMS, typ="at+jwt"))["kid"] == "key_b"
    ours.install([structs.replace(old, state="revoked"), structs.replace(new, state="current")])
    with pytest.raises(AuthError):
        jws.verify(token, ours.keys(), algorithms=["ES256"], types={"at+jwt"})


def test_without_a_current_key_there_is_no_signature() -> None:
    with pytest.raises(KeyError):
        signer(made("key_n", "next")).sign(CLAIMS, typ="at+jwt")
    with pytest.raises(KeyError):
        signer(made("key_1", "current")).sign(CLAIMS, typ="at+jwt", alg="RS256")


def test_keys_sealed_under_another_secret_key_are_not_installed() -> None:
    ours = signer(made("key_1", "current"))
    foreign = SealedKeyMaker(KeyedSealer(b"x" * 32)).make("key_2", "ES256", 1)
    with pytest.raises(ValueError, match="another secret key"):
        ours.install([structs.replace(foreign, state="current")])
    assert jwt.get_unverified_header(ours.sign(CLAIMS, typ="JWT"))["kid"] == "key_1"


def test_installing_the_same_keys_again_does_no_work() -> None:
    key = made("key_1", "current")
    ours = signer(key)
    before: Any = ours.keys()
    ours.install([key])
    assert ours.keys() is before
