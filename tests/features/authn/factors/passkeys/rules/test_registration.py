"""Registration of a passkey step by step (Level 3 §7.1)."""

from __future__ import annotations

import pytest
from fido2 import cbor
from fido2.webauthn import AttestationObject
from msgspec import structs

from doorward.features.authn.factors.passkeys.rules.attestation import AttestationPolicy
from doorward.features.authn.factors.passkeys.rules.ceremony import PasskeyProblem
from doorward.features.authn.factors.passkeys.rules.registration import NewPasskey, registered
from doorward.features.authn.factors.passkeys.rules.response import registration_response
from tests.authenticator import Authenticator
from tests.features.authn.factors.passkeys.ceremonies import EXPECTED, OPTIONS, register, stored, use


@pytest.mark.requirement(87)
def test_a_passkey_of_another_relying_party_is_refused() -> None:
    authenticator = Authenticator()
    other = structs.replace(EXPECTED, rp_id="example")
    assert register(authenticator, other) == PasskeyProblem("rp_id")
    passkey = stored(authenticator)
    assert use(authenticator, passkey, other) == PasskeyProblem("rp_id")


def test_a_passkey_can_be_made_without_presence_when_it_is_made_silently() -> None:
    silent = structs.replace(EXPECTED, user_presence=False, user_verification=False)
    read = registration_response(Authenticator().create(OPTIONS, silently=True))
    assert read is not None
    made = registered(read, silent, attest=AttestationPolicy())
    assert isinstance(made, NewPasskey)
    assert not made.user_verified
    assert registered(read, EXPECTED, attest=AttestationPolicy()) == PasskeyProblem("user_presence")


@pytest.mark.parametrize("key", [b"", b"\xa1\x01\x19\x01", b"\xa1\x01\x1a\x01\x02", b"\xa1\x01", b"\xa1"])
def test_a_key_that_ends_too_early_is_unreadable(key: bytes) -> None:
    read = registration_response(Authenticator().create(OPTIONS))
    assert read is not None
    data = bytes(AttestationObject(read.attestation_object).auth_data)
    cut = data[: 37 + 16 + 2 + len(read.credential_id)] + key
    sent = cbor.encode({"fmt": "none", "attStmt": {}, "authData": cut})
    broken = structs.replace(read, attestation_object=sent)
    assert registered(broken, EXPECTED, attest=AttestationPolicy()) == PasskeyProblem("unreadable")


def test_the_id_outside_is_the_id_inside() -> None:
    read = registration_response(Authenticator().create(OPTIONS))
    assert read is not None
    swapped = structs.replace(read, credential_id=b"x" * 32)
    assert registered(swapped, EXPECTED, attest=AttestationPolicy()) == PasskeyProblem("credential")
