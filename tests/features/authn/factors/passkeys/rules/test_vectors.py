"""Test vectors of Web Authentication Level 3 §16: each passes, and fails when any byte is altered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from doorward.core.model.passkey import Passkey
from doorward.features.authn.factors.passkeys.rules import cose
from doorward.features.authn.factors.passkeys.rules.assertion import Assertion, asserted
from doorward.features.authn.factors.passkeys.rules.attestation import AttestationPolicy, Trust, chains_to
from doorward.features.authn.factors.passkeys.rules.ceremony import ChallengeState, Expected, PasskeyProblem
from doorward.features.authn.factors.passkeys.rules.registration import NewPasskey, registered
from doorward.features.authn.factors.passkeys.rules.response import AssertionResponse, RegistrationResponse

DOCUMENT = json.loads((Path(__file__).parents[5] / "vectors/webauthn3.json").read_text())
ROOT = bytes.fromhex(DOCUMENT["attestation_ca_cert"])
VECTORS = [pytest.param(one, id=f"{one['section']} {one['title']}") for one in DOCUMENT["vectors"]]
ATTESTED = [
    pytest.param(one, id=f"{one['section']} {one['title']}")
    for one in DOCUMENT["vectors"]
    if "x5c" in bytes.fromhex(one["registration"]["attestationObject"]).decode("latin1")
]
FRAMED = {"16.4": (), "16.5": ("https://example.com",)}
ACCOUNT = "usr_example"
SIGNATURE_FOLLOWS = bytes.fromhex("300a06082a8648ce3d040302") + b"\x03"
"""The second algorithm identifier of a certificate, and the tag of its signature."""
WORTH = {"no attestation": "none", "self attestation": "self"}


def trust(_aaguid: bytes, path: tuple[bytes, ...]) -> Trust:
    return "trusted" if chains_to(path, (ROOT,)) else "unknown"


POLICY = AttestationPolicy(trust=trust)


def expected(challenge: str, section: str = "", **changes: Any) -> Expected:
    def state(sent: bytes) -> ChallengeState:
        return "valid" if sent == bytes.fromhex(challenge) else "foreign"

    made = Expected(
        challenge=state,
        origins=("https://example.org",),
        rp_id="example.org",
        user_verification=False,
        cross_origin=section in FRAMED,
        top_origins=FRAMED.get(section, ()),
    )
    return structs.replace(made, **changes)


def registration(vector: dict[str, Any]) -> RegistrationResponse:
    made = bytes.fromhex(vector["registration"]["attestationObject"])
    length = int.from_bytes(made[(at := _auth_data(made)) + 53 : at + 55], "big")
    return RegistrationResponse(
        credential_id=made[at + 55 : at + 55 + length],
        client_data=bytes.fromhex(vector["registration"]["clientDataJSON"]),
        attestation_object=made,
    )


def _auth_data(made: bytes) -> int:
    """Where the authenticator data begin: with the SHA-256 of example.org."""
    return made.index(bytes.fromhex("bfabc37432958b06"))


def register(vector: dict[str, Any], response: RegistrationResponse, **changes: Any) -> Any:
    return registered(
        response,
        expected(vector["registration"]["challenge"], vector["section"], **changes),
        algorithms=cose.KNOWN,
        attest=POLICY,
    )


def stored(vector: dict[str, Any]) -> Passkey:
    made = register(vector, registration(vector))
    assert isinstance(made, NewPasskey)
    return Passkey(
        factor_id="fac_1",
        account_id=ACCOUNT,
        credential_id=made.credential_id,
        public_key=made.public_key,
        alg=made.alg,
        sign_count=made.sign_count,
        aaguid=made.aaguid,
        name="Key",
        backup_eligible=made.backup_eligible,
    )


def assertion(vector: dict[str, Any], passkey: Passkey) -> AssertionResponse:
    sent = {name: bytes.fromhex(value) for name, value in vector["authentication"].items()}
    return AssertionResponse(
        credential_id=passkey.credential_id,
        client_data=sent["clientDataJSON"],
        authenticator_data=sent["authenticatorData"],
        signature=sent["signature"],
    )


def altered(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The same bytes with one bit turned, at each byte."""
    for at, byte in enumerate(data):
        yield at, data[:at] + bytes([byte ^ 1]) + data[at + 1 :]


@pytest.mark.requirement(87)
@pytest.mark.parametrize("vector", VECTORS)
def test_every_vector_is_accepted(vector: dict[str, Any]) -> None:
    made = register(vector, registration(vector))
    assert isinstance(made, NewPasskey)
    worth = "none" if vector["section"] in FRAMED or "long" in vector["title"] else "verified"
    assert made.attestation == next((w for text, w in WORTH.items() if text in vector["title"]), worth)
    passkey = stored(vector)
    used = asserted(
        assertion(vector, passkey),
        passkey,
        expected(vector["authentication"]["challenge"], vector["section"]),
    )
    assert isinstance(used, Assertion)
    assert used.challenge.hex() == vector["authentication"]["challenge"]


@pytest.mark.requirement(87)
@pytest.mark.parametrize("vector", VECTORS)
def test_every_altered_assertion_is_refused(vector: dict[str, Any]) -> None:
    passkey = stored(vector)
    right = assertion(vector, passkey)
    wanted = expected(vector["authentication"]["challenge"], vector["section"])
    for member in ("client_data", "authenticator_data", "signature", "credential_id"):
        for at, changed in altered(getattr(right, member)):
            found = asserted(structs.replace(right, **{member: changed}), passkey, wanted)
            assert isinstance(found, PasskeyProblem), (member, at)


@pytest.mark.requirement(87)
@pytest.mark.parametrize("vector", ATTESTED)
def test_no_altered_attestation_is_verified(vector: dict[str, Any]) -> None:
    right = registration(vector)
    start = _auth_data(right.attestation_object)
    # the number of unused bits in the certificate's signature is a part of neither signature
    unsigned = {right.attestation_object.index(SIGNATURE_FOLLOWS) + len(SIGNATURE_FOLLOWS) + 1}
    if vector["section"] == "16.16":
        # FIDO U2F signs neither flags, counter nor AAGUID (§8.6)
        unsigned |= set(range(start + 32, start + 53))
    for at, changed in altered(right.attestation_object):
        if at in unsigned:
            continue
        found = register(vector, structs.replace(right, attestation_object=changed))
        assert isinstance(found, PasskeyProblem) or found.attestation != "verified", at
    for at, changed in altered(right.client_data):
        assert isinstance(register(vector, structs.replace(right, client_data=changed)), PasskeyProblem), at


@pytest.mark.requirement(87)
@pytest.mark.parametrize(
    ("section", "code"), [("16.4", "cross_origin"), ("16.5", "cross_origin"), ("16.5", "top_origin")]
)
def test_what_a_frame_of_another_site_made_is_refused_by_the_server(section: str, code: str) -> None:
    (vector,) = [one for one in DOCUMENT["vectors"] if one["section"] == section]
    server = {"cross_origin": code == "top_origin", "top_origins": ()}
    assert register(vector, registration(vector), **server) == PasskeyProblem(code)  # pyright: ignore[reportArgumentType]
    passkey = stored(vector)
    wanted = expected(vector["authentication"]["challenge"], **server)
    assert asserted(assertion(vector, passkey), passkey, wanted) == PasskeyProblem(code)  # pyright: ignore[reportArgumentType]
