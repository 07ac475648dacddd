"""Statements of trusted platform modules."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from fido2.attestation.base import AttestationType, InvalidAttestation
from fido2.webauthn import AttestationObject

from doorward.features.authn.factors.passkeys.rules.cose import MALFORMED
from doorward.features.authn.factors.passkeys.rules.tpm import TpmStatement

DOCUMENT = json.loads((Path(__file__).parents[5] / "vectors/webauthn3.json").read_text())
BY_SECTION = {one["section"]: one["registration"] for one in DOCUMENT["vectors"]}
MADE = AttestationObject(bytes.fromhex(BY_SECTION["16.13"]["attestationObject"]))
DIGEST = hashlib.sha256(bytes.fromhex(BY_SECTION["16.13"]["clientDataJSON"])).digest()


def test_the_vector_is_verified_though_its_clock_is_not_one() -> None:
    found = TpmStatement().verify(MADE.att_stmt, MADE.auth_data, DIGEST)
    assert found.attestation_type == AttestationType.ATT_CA
    assert found.trust_path == list(MADE.att_stmt["x5c"])


@pytest.mark.parametrize(
    "members",
    [
        {"ver": "2"},
        {"alg": -8},
        {"alg": -36},
        {"certInfo": b"\xffTCG"},
        {"certInfo": b"\xfeTCG" + MADE.att_stmt["certInfo"][4:]},
        {"certInfo": MADE.att_stmt["certInfo"][:-1]},
        {"pubArea": MADE.att_stmt["pubArea"][:-1] + b"\0"},
        {"sig": b""},
        {"x5c": []},
        {"x5c": AttestationObject(bytes.fromhex(BY_SECTION["16.7"]["attestationObject"])).att_stmt["x5c"]},
    ],
)
def test_each_other_value_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises((InvalidAttestation, *MALFORMED)):
        TpmStatement().verify(dict(MADE.att_stmt) | members, MADE.auth_data, DIGEST)


def test_the_statement_belongs_to_its_ceremony_and_key() -> None:
    with pytest.raises(InvalidAttestation):
        TpmStatement().verify(MADE.att_stmt, MADE.auth_data, bytes(32))
    other = AttestationObject(bytes.fromhex(BY_SECTION["16.7"]["attestationObject"]))
    with pytest.raises(InvalidAttestation):
        TpmStatement().verify(MADE.att_stmt, other.auth_data, DIGEST)
