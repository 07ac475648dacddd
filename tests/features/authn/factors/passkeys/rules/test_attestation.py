"""Trust in makers of authenticators: chains of certificates, and the operator's policy."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from fido2 import cbor
from fido2.webauthn import AttestationObject

from doorward.features.authn.factors.passkeys.rules.attestation import (
    FORMATS,
    AttestationPolicy,
    Trust,
    attested,
    chains_to,
)
from doorward.features.authn.factors.passkeys.rules.ceremony import PasskeyProblem

DOCUMENT = json.loads((Path(__file__).parents[5] / "vectors/webauthn3.json").read_text())
BY_SECTION = {one["section"]: one["registration"] for one in DOCUMENT["vectors"]}
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def made(section: str) -> tuple[AttestationObject, bytes]:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(bytes.fromhex(BY_SECTION[section]["clientDataJSON"]))
    return AttestationObject(bytes.fromhex(BY_SECTION[section]["attestationObject"])), digest.finalize()


def changed(section: str, **members: Any) -> tuple[AttestationObject, bytes]:
    """The same with other members of the statement; None removes one."""
    was, digest = made(section)
    statement = {name: value for name, value in (dict(was.att_stmt) | members).items() if value is not None}
    again = cbor.encode({"fmt": was.fmt, "authData": bytes(was.auth_data), "attStmt": statement})
    return AttestationObject(again), digest


def trusting(answer: Trust) -> AttestationPolicy:
    return AttestationPolicy(trust=lambda _aaguid, _path: answer)


def test_the_formats_of_the_specification_are_known() -> None:
    assert set(FORMATS) == {"none", "packed", "tpm", "android-key", "apple", "fido-u2f"}
    was, digest = made("16.2")
    other = cbor.encode({"fmt": "new", "authData": bytes(was.auth_data), "attStmt": {}})
    found = attested(AttestationObject(other), digest, AttestationPolicy())
    assert found == PasskeyProblem("attestation_format")


@pytest.mark.parametrize("section", ["16.7", "16.13", "16.14", "16.15", "16.16"])
def test_trust_comes_from_the_operators_metadata_only(section: str) -> None:
    assert attested(*made(section), AttestationPolicy()) == "unverified"
    assert attested(*made(section), trusting("unknown")) == "unverified"
    assert attested(*made(section), trusting("trusted")) == "verified"
    assert attested(*made(section), trusting("revoked")) == PasskeyProblem("attestation_revoked")


@pytest.mark.parametrize(
    ("section", "members"),
    [
        ("16.2", {"x5c": []}),
        ("16.3", {"alg": -8}),
        ("16.3", {"sig": b""}),
        ("16.7", {"x5c": [b"no certificate"]}),
        ("16.7", {"sig": None}),
        ("16.13", {"ver": "1.2"}),
        ("16.13", {"pubArea": b""}),
        ("16.13", {"alg": -999}),
        ("16.14", {"x5c": []}),
        ("16.15", {"x5c": "text"}),
        ("16.16", {"x5c": None}),
    ],
)
def test_a_wrong_statement_is_refused_though_none_is_required(section: str, members: dict[str, Any]) -> None:
    assert attested(*changed(section, **members), AttestationPolicy()) == PasskeyProblem("attestation")


@pytest.mark.parametrize("section", ["16.14", "16.15"])
def test_the_certificate_is_that_of_the_passkeys_own_key(section: str) -> None:
    statement = made("16.7")[0].att_stmt
    found = attested(*changed(section, x5c=statement["x5c"]), AttestationPolicy())
    assert found == PasskeyProblem("attestation")


def test_only_permitted_authenticators_and_they_prove_it_where_there_is_metadata() -> None:
    was, digest = made("16.7")
    assert was.auth_data.credential_data is not None
    own = frozenset({str(was.auth_data.credential_data.aaguid)})
    other = frozenset({"ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"})
    assert attested(was, digest, AttestationPolicy(allowed=other)) == PasskeyProblem("authenticator")
    assert attested(was, digest, AttestationPolicy(allowed=own)) == "unverified"

    def policy(answer: Trust) -> AttestationPolicy:
        return AttestationPolicy(allowed=own, trust=lambda _aaguid, _path: answer)

    assert attested(was, digest, policy("unknown")) == PasskeyProblem("attestation_untrusted")
    assert attested(was, digest, policy("trusted")) == "verified"
    # its maker vouches for it, and names no hardware
    assert attested(was, digest, policy("software")) == "unverified"


@pytest.mark.parametrize("name", [[], {}, ["none"], 7, b"none"])
def test_a_format_that_is_no_text_is_unknown(name: object) -> None:
    was, digest = made("16.2")
    sent = AttestationObject(cbor.encode({"fmt": name, "attStmt": {}, "authData": bytes(was.auth_data)}))
    assert attested(sent, digest, AttestationPolicy()) == PasskeyProblem("attestation_format")


def issue(
    name: str, by: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None, *, issues: bool = True
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if by is None else by[0].subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(START + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issues, path_length=None), critical=True)
    )
    return built.sign(key if by is None else by[1], hashes.SHA256()), key


def der(*made: tuple[x509.Certificate, object]) -> tuple[bytes, ...]:
    return tuple(one.public_bytes(Encoding.DER) for one, _ in made)


def test_a_chain_ends_in_a_root_and_each_issuer_may_issue() -> None:
    root = issue("root")
    between = issue("between", root)
    leaf = issue("leaf", between, issues=False)
    assert chains_to(der(leaf, between), der(root))
    assert chains_to(der(leaf, between, root), der(root))
    assert chains_to(der(leaf), der(between))
    assert chains_to(der(leaf), der(leaf))
    assert not chains_to(der(leaf), der(root))
    assert not chains_to(der(leaf, between), der(issue("root")))
    assert not chains_to((), der(root))
    # whoever has the key of one authenticator cannot certify another
    forged = issue("forged", leaf, issues=False)
    assert not chains_to(der(forged, leaf, between), der(root))
    assert not chains_to(der(forged), der(leaf))
