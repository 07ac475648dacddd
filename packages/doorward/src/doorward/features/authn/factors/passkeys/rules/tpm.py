"""TPM attestation (Level 3 §8.3; Trusted Platform Module Library part 2, §10.12.8, §12.2.4).

The library's own check also refuses values of clockInfo that the specification tells to ignore, among them those of its test vector.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from cryptography import x509
from fido2.attestation.base import AttestationResult as Checked
from fido2.attestation.base import AttestationType, InvalidAttestation
from fido2.attestation.tpm import TpmAttestationFormat, TpmPublicFormat
from fido2.cose import CoseKey
from fido2.webauthn import AuthenticatorData

_AIK_CERTIFICATE: Final = x509.ObjectIdentifier("2.23.133.8.3")
_HASHES: Final = {-7: "sha256", -35: "sha384", -36: "sha512", -257: "sha256", -37: "sha256", -65535: "sha1"}
"""Hash of each signature algorithm. Older modules sign with RS1; what is signed is a fresh challenge."""
_MAGIC_AND_TYPE: Final = 6
_CLOCK_AND_COUNTERS: Final = 16


class TpmStatement:
    """Verifies statements of the format `tpm`, version 2.0."""

    def verify(self, statement: Mapping[str, Any], auth_data: AuthenticatorData, digest: bytes) -> Checked:
        """Raises `InvalidAttestation` or one of `MALFORMED`."""
        if statement["ver"] != "2.0" or auth_data.credential_data is None:
            raise InvalidAttestation("version")
        path = [bytes(der) for der in statement["x5c"]]
        leaf = x509.load_der_x509_certificate(path[0])
        _check_certificate(leaf)
        key = auth_data.credential_data.public_key
        area = TpmPublicFormat.parse(statement["pubArea"])
        if key.from_cryptography_key(area.public_key()) != key:
            raise InvalidAttestation("another key")
        certified = TpmAttestationFormat.parse(_without_safe(statement["certInfo"]))
        alg = statement["alg"]
        if certified.data != hashlib.new(_HASHES[alg], auth_data + digest).digest():
            raise InvalidAttestation("another ceremony")
        if certified.attested.name != area.name():
            raise InvalidAttestation("another object")
        signer = CoseKey.for_alg(alg).from_cryptography_key(leaf.public_key())
        signer.verify(statement["certInfo"], statement["sig"])
        return Checked(AttestationType.ATT_CA, path)


def _check_certificate(leaf: x509.Certificate) -> None:
    """§8.3.1."""
    extensions = leaf.extensions
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    extensions.get_extension_for_class(x509.SubjectAlternativeName)
    if (
        leaf.version != x509.Version.v3
        or len(leaf.subject) > 0
        or _AIK_CERTIFICATE not in usage
        or extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    ):
        raise InvalidAttestation("certificate")


def _without_safe(info: bytes) -> bytes:
    """certInfo with the last byte of clockInfo cleared, for the library's parser."""
    at = _MAGIC_AND_TYPE
    for _ in ("qualifiedSigner", "extraData"):
        at += 2 + int.from_bytes(info[at : at + 2], "big")
    at += _CLOCK_AND_COUNTERS
    return info[:at] + b"\0" + info[at + 1 :]
