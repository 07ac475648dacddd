"""Junk in place of answers: a problem, never an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from doorward.features.authn.factors.passkeys.rules.assertion import asserted
from doorward.features.authn.factors.passkeys.rules.attestation import AttestationPolicy
from doorward.features.authn.factors.passkeys.rules.ceremony import (
    AT,
    BE,
    BS,
    ED,
    UP,
    UV,
    PasskeyProblem,
)
from doorward.features.authn.factors.passkeys.rules.cose import MALFORMED
from doorward.features.authn.factors.passkeys.rules.registration import registered
from doorward.features.authn.factors.passkeys.rules.response import (
    AssertionResponse,
    RegistrationResponse,
    registration_response,
)
from tests.authenticator import Authenticator
from tests.features.authn.factors.passkeys.ceremonies import EXPECTED, OPTIONS, stored

VECTORS = json.loads((Path(__file__).parents[5] / "vectors/webauthn3.json").read_text())["vectors"]
OBJECTS = [bytes.fromhex(one["registration"]["attestationObject"]) for one in VECTORS]
READ = registration_response(Authenticator().create(OPTIONS))
PASSKEY = stored(Authenticator())
NOTHING = AttestationPolicy()


def test_the_flags_are_those_of_the_specification() -> None:
    assert (UP, UV, BE, BS, AT, ED) == (1, 4, 8, 16, 64, 128)
    assert all(issubclass(kind, Exception) for kind in MALFORMED)


@pytest.mark.requirement(87)
@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=100))
def test_junk_is_a_problem(one: bytes, two: bytes, three: bytes) -> None:
    made = RegistrationResponse(credential_id=b"x", client_data=one, attestation_object=two)
    assert isinstance(registered(made, EXPECTED, attest=NOTHING), PasskeyProblem)
    assert READ is not None
    made = structs.replace(READ, attestation_object=two)
    assert isinstance(registered(made, EXPECTED, attest=NOTHING), PasskeyProblem)
    used = AssertionResponse(
        credential_id=PASSKEY.credential_id,
        client_data=READ.client_data,
        authenticator_data=one,
        signature=three,
    )
    assert isinstance(asserted(used, PASSKEY, EXPECTED), PasskeyProblem)


@given(st.sampled_from(OBJECTS), st.integers(0, 2_000), st.binary(min_size=1, max_size=8))
def test_half_of_an_answer_is_a_problem(whole: bytes, at: int, junk: bytes) -> None:
    assert READ is not None
    at %= len(whole)
    made = structs.replace(READ, attestation_object=whole[:at] + junk + whole[at + len(junk) :])
    assert isinstance(registered(made, EXPECTED, attest=NOTHING), PasskeyProblem)
