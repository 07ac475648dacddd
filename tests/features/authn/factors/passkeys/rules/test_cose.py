"""Public keys of passkeys."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fido2 import cbor
from fido2.cose import RS256, CoseKey
from msgspec import structs

from doorward.features.authn.factors.passkeys.rules import cose
from doorward.features.authn.factors.passkeys.rules.attestation import AttestationPolicy
from doorward.features.authn.factors.passkeys.rules.ceremony import OFFERED, PasskeyProblem
from doorward.features.authn.factors.passkeys.rules.registration import NewPasskey, registered
from doorward.features.authn.factors.passkeys.rules.response import registration_response
from tests.authenticator import Authenticator, cose_key
from tests.features.authn.factors.passkeys.ceremonies import EXPECTED, OPTIONS


def made_with(key: object) -> Any:
    """A registration with any public key."""
    authenticator = Authenticator()
    read = registration_response(authenticator.create(OPTIONS))
    assert read is not None
    attested: Any = cbor.decode(read.attestation_object)
    head = attested["authData"][: 37 + 16 + 2 + 32]
    changed = cbor.encode(dict(attested) | {"authData": head + cbor.encode(key)})  # pyright: ignore[reportArgumentType]
    return registered(structs.replace(read, attestation_object=changed), EXPECTED, attest=AttestationPolicy())


@pytest.mark.requirement(87)
def test_only_keys_with_which_signatures_can_be_verified_are_stored() -> None:
    right = cose_key(ec.generate_private_key(ec.SECP256R1()))
    assert isinstance(made_with(right), NewPasskey)
    assert made_with(right | {3: -47}) == PasskeyProblem("algorithm")
    assert made_with(right | {3: -7, 1: 1}) == PasskeyProblem("key")
    assert made_with(right | {-3: bytes(32)}) == PasskeyProblem("key")
    assert made_with(right | {-1: 2}) == PasskeyProblem("key")
    assert made_with({3: -7}) == PasskeyProblem("key")
    assert made_with({1: 2}) == PasskeyProblem("unreadable")
    assert made_with([1]) == PasskeyProblem("unreadable")
    long = RS256.from_cryptography_key(rsa.generate_private_key(65537, 2048).public_key())
    assert isinstance(made_with(long), NewPasskey)
    short = RS256.from_cryptography_key(rsa.generate_private_key(65537, 1024).public_key())
    assert made_with(short) == PasskeyProblem("key")


def test_what_is_offered_can_be_verified() -> None:
    assert set(OFFERED) < set(cose.KNOWN)
    assert {-7, -257} < set(OFFERED)
    for alg in cose.KNOWN:
        assert alg == CoseKey.for_alg(alg).ALGORITHM
