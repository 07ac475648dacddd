"""The file of the FIDO Metadata Service: whose it is, and what it says."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from fido2.webauthn import AttestationObject

from doorward.features.authn.factors.passkeys.metadata import (
    PUBLISHER,
    AuthenticatorMetadata,
    BadMetadata,
    system_roots,
)
from tests.authenticator import b64

pytestmark = pytest.mark.anyio
DOCUMENT = json.loads((Path(__file__).parents[4] / "vectors/webauthn3.json").read_text())
ROOT = bytes.fromhex(DOCUMENT["attestation_ca_cert"])
MADE = AttestationObject(
    bytes.fromhex(
        next(one for one in DOCUMENT["vectors"] if one["section"] == "16.7")["registration"][
            "attestationObject"
        ]
    )
)
assert MADE.auth_data.credential_data is not None
AAGUID = MADE.auth_data.credential_data.aaguid
CHAIN = tuple(MADE.att_stmt["x5c"])
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
Issued = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def issue(name: str, by: Issued | None = None) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if by is None else by[0].subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(START + dt.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )
    return built.sign(key if by is None else by[1], hashes.SHA256()), key


AUTHORITY = issue("Authority")
SIGNER = issue(PUBLISHER, AUTHORITY)


def entry(status: str = "FIDO_CERTIFIED_L1", **changes: Any) -> dict[str, Any]:
    made = {
        "aaguid": str(AAGUID),
        "statusReports": [{"status": status}],
        "timeOfLastStatusChange": "2026-01-01",
        "metadataStatement": {
            "description": "Vector",
            "authenticatorVersion": 1,
            "schema": 3,
            "upv": [{"major": 1, "minor": 0}],
            "attestationTypes": ["basic_full"],
            "userVerificationDetails": [],
            "keyProtection": ["hardware"],
            "matcherProtection": ["on_chip"],
            "attachmentHint": ["external"],
            "tcDisplay": [],
            "attestationRootCertificates": [base64.b64encode(ROOT).decode()],
            "protocolFamily": "fido2",
        },
    }
    return made | changes


def blob(*entries: dict[str, Any], signer: Issued = SIGNER) -> bytes:
    x5c = [base64.b64encode(signer[0].public_bytes(Encoding.DER)).decode()]
    header = {"alg": "ES256", "typ": "JWT", "x5c": x5c}
    payload = {"legalHeader": "", "no": 1, "nextUpdate": "2027-01-01", "entries": list(entries)}
    message = ".".join(b64(json.dumps(part).encode()) for part in (header, payload)).encode()
    return message + b"." + b64(signer[1].sign(message, ec.ECDSA(hashes.SHA256()))).encode()


def metadata(folder: Path, content: bytes) -> AuthenticatorMetadata:
    path = folder / "blob.jwt"
    path.write_bytes(content)
    return AuthenticatorMetadata(path=str(path), roots=lambda: [AUTHORITY[0].public_bytes(Encoding.DER)])


async def test_an_authenticator_of_the_file_is_trusted_with_its_makers_certificates(tmp_path: Path) -> None:
    known = metadata(tmp_path, blob(entry()) + b"\n")
    assert known.trust(AAGUID, CHAIN) == "unknown"
    await known.load()
    assert known.trust(AAGUID, CHAIN) == "trusted"
    assert known.trust(AAGUID, ()) == "unknown"
    assert known.trust(AAGUID, (SIGNER[0].public_bytes(Encoding.DER),)) == "unknown"
    assert known.trust(b"x" * 16, CHAIN) == "unknown"
    assert known.trust(bytes(16), CHAIN) == "unknown"


@pytest.mark.parametrize("status", ["REVOKED", "USER_VERIFICATION_BYPASS", "ATTESTATION_KEY_COMPROMISE"])
async def test_a_revoked_or_broken_authenticator_is_refused(tmp_path: Path, status: str) -> None:
    known = metadata(tmp_path, blob(entry(status)))
    await known.load()
    assert known.trust(AAGUID, CHAIN) == "revoked"


async def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    known = metadata(tmp_path, blob(entry()))
    await known.load()
    Path(known.path).write_bytes(blob(entry("REVOKED")))
    os.utime(known.path, ns=(1, 1))
    await known.load()
    assert known.trust(AAGUID, CHAIN) == "revoked"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no file of the service",
        b"e30.e30.",
        blob(entry())[:-9],
        blob(entry(), signer=issue("evil.example", AUTHORITY)),
        blob(entry(), signer=issue(PUBLISHER)),
        blob(entry(aaguid="no id")),
    ],
)
async def test_only_the_publishers_own_file_is_believed(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadMetadata):
        await metadata(tmp_path, content).load()


async def test_a_file_that_is_gone_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await AuthenticatorMetadata(path=str(tmp_path / "none")).load()
    assert all(isinstance(root, bytes) for root in system_roots())
