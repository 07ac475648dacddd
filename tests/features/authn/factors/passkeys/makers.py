"""Makers of authenticators for tests: their certificate authority, the key with which their models attest, and the file that vouches for
them, signed as by the FIDO Metadata Service."""

from __future__ import annotations

import base64
import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.authenticator import b64

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
Issued = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]
_NAME = x509.NameOID


def issue(name: str, by: Issued | None = None) -> Issued:
    """A certificate for this name with its key; an authority's, if nobody issues it."""
    subject = x509.Name([x509.NameAttribute(_NAME.COMMON_NAME, name)])
    return _issued(subject, by, x509.SubjectAlternativeName([x509.DNSName(name)]))


def _issued(subject: x509.Name, by: Issued | None, *extensions: x509.ExtensionType) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if by is None else by[0].subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(START + dt.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    for extension in extensions:
        built = built.add_extension(extension, critical=False)
    return built.sign(key if by is None else by[1], hashes.SHA256()), key


def described(
    aaguid: str, root: bytes, status: str = "FIDO_CERTIFIED_L1", *, protection: str = "hardware"
) -> dict[str, Any]:
    """What the file says of a model whose certificates end in `root` (DER). `protection`: what keeps its keys."""
    return {
        "aaguid": aaguid,
        "statusReports": [{"status": status}],
        "timeOfLastStatusChange": "2026-01-01",
        "metadataStatement": {
            "description": "Model",
            "authenticatorVersion": 1,
            "schema": 3,
            "upv": [{"major": 1, "minor": 0}],
            "attestationTypes": ["basic_full"],
            "userVerificationDetails": [],
            "keyProtection": [protection],
            "matcherProtection": ["on_chip"],
            "attachmentHint": ["external"],
            "tcDisplay": [],
            "attestationRootCertificates": [base64.b64encode(root).decode()],
            "protocolFamily": "fido2",
        },
    }


def published(*entries: dict[str, Any], signer: Issued, next_update: str = "2099-01-01") -> bytes:
    """The file, signed by `signer` (FIDO Metadata Service 3.0 §3.1.7), which promises a newer one by a day."""
    x5c = [base64.b64encode(signer[0].public_bytes(Encoding.DER)).decode()]
    header = {"alg": "ES256", "typ": "JWT", "x5c": x5c}
    payload = {"legalHeader": "", "no": 1, "nextUpdate": next_update, "entries": list(entries)}
    message = ".".join(b64(json.dumps(part).encode()) for part in (header, payload)).encode()
    return message + b"." + b64(signer[1].sign(message, ec.ECDSA(hashes.SHA256()))).encode()


@dataclass(frozen=True)
class Maker:
    """A maker with one model. `attest` is what its authenticators do (WebAuthn Level 3 §8.2)."""

    authority: Issued
    model: Issued

    @classmethod
    def of(cls, name: str, aaguid: bytes) -> Maker:
        """A new maker; the certificate of the model is as §8.2.1 wants it."""
        authority = issue(name)
        subject = x509.Name(
            [
                x509.NameAttribute(_NAME.COUNTRY_NAME, "SE"),
                x509.NameAttribute(_NAME.ORGANIZATION_NAME, name),
                x509.NameAttribute(_NAME.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"),
                x509.NameAttribute(_NAME.COMMON_NAME, "Key 1"),
            ]
        )
        named = x509.UnrecognizedExtension(
            x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4"), b"\x04\x10" + aaguid
        )
        return cls(authority, _issued(subject, authority, named))

    @property
    def root(self) -> bytes:
        """The certificate of the authority (DER)."""
        return self.authority[0].public_bytes(Encoding.DER)

    def attest(self, data: bytes, digest: bytes) -> dict[str, Any]:
        """The statement of format `packed` about authenticator data, and the digest of the client data."""
        certificate, key = self.model
        return {
            "alg": -7,
            "sig": key.sign(data + digest, ec.ECDSA(hashes.SHA256())),
            "x5c": [certificate.public_bytes(Encoding.DER)],
        }
