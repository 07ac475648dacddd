"""Attestation statements: formats, signatures, and trust in the maker (Level 3 §6.5, §8; §7.1 steps 21-24)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final, Literal

from cryptography import x509
from fido2.attestation.apple import AppleAttestation
from fido2.attestation.base import Attestation, AttestationType, InvalidAttestation, NoneAttestation
from fido2.attestation.base import AttestationResult as Checked
from fido2.attestation.packed import PackedAttestation
from fido2.attestation.u2f import FidoU2FAttestation
from fido2.cose import CoseKey
from fido2.webauthn import AttestationObject, AuthenticatorData
from msgspec import Struct

from doorward.core.model.passkey import AttestationResult
from doorward.features.authn.factors.passkeys.rules.ceremony import PasskeyProblem
from doorward.features.authn.factors.passkeys.rules.cose import MALFORMED
from doorward.features.authn.factors.passkeys.rules.der import elements
from doorward.features.authn.factors.passkeys.rules.tpm import TpmStatement

Trust = Literal["trusted", "software", "unknown", "revoked"]
"""`software`: its maker vouches for the authenticator, and says that no hardware protects its keys."""
_AAGUID_EXTENSION: Final = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
_ANDROID_EXTENSION: Final = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.1.17")
_PURPOSE, _ALL_APPLICATIONS, _ORIGIN = 1, 600, 702
_SIGN, _GENERATED = 2, 0
_MAX_CHAIN: Final = 8


class AttestationPolicy(Struct, frozen=True, kw_only=True):
    """`trust` is asked about the AAGUID and the certificates, the authenticator's first; None if the operator has no metadata. Only
    authenticators of `allowed` (AAGUIDs; empty: all) are accepted, and with metadata they must prove it."""

    trust: Callable[[bytes, tuple[bytes, ...]], Trust] | None = None
    allowed: frozenset[str] = frozenset()


class _AndroidKeyAttestation:
    """Android key attestation (§8.4), which the library does not know.

    The lists of authorizations may lack origin and purpose, as in the test vector of the specification (§16.14); where they are
    present they must be right."""

    def verify(self, statement: Mapping[str, Any], auth_data: AuthenticatorData, digest: bytes) -> Checked:
        """Raises `InvalidAttestation` or one of `MALFORMED`."""
        path = [bytes(der) for der in statement["x5c"]]
        leaf = x509.load_der_x509_certificate(path[0])
        key = _credential_key(auth_data)
        CoseKey.for_alg(statement["alg"]).from_cryptography_key(leaf.public_key()).verify(
            auth_data + digest, statement["sig"]
        )
        if not _same_key(leaf, key):
            raise InvalidAttestation("another key")
        extension = leaf.extensions.get_extension_for_oid(_ANDROID_EXTENSION).value
        if not isinstance(extension, x509.UnrecognizedExtension):
            raise InvalidAttestation("extension")
        ((_, described),) = elements(extension.value)
        _version, _level, _keymaster, _keymaster_level, challenge, _unique, software, hardware = elements(
            described
        )
        if challenge[1] != digest:
            raise InvalidAttestation("another challenge")
        granted = [*elements(software[1]), *elements(hardware[1])]
        for number, content in granted:
            if number == _ALL_APPLICATIONS:
                raise InvalidAttestation("a key for all applications")
            values = {int.from_bytes(value, "big") for _, value in _inner(number, content)}
            if (number == _ORIGIN and values != {_GENERATED}) or (number == _PURPOSE and _SIGN not in values):
                raise InvalidAttestation("authorization")
        return Checked(AttestationType.BASIC, path)


class _AppleAnonymousAttestation:
    """Apple anonymous attestation (§8.8). The library compares the nonce, and not the key."""

    def verify(self, statement: Mapping[str, Any], auth_data: AuthenticatorData, digest: bytes) -> Checked:
        """Raises `InvalidAttestation` or one of `MALFORMED`."""
        leaf = x509.load_der_x509_certificate(statement["x5c"][0])
        if not _same_key(leaf, _credential_key(auth_data)):
            raise InvalidAttestation("another key")
        return AppleAttestation().verify(statement, auth_data, digest)


_Verifier = Attestation | _AndroidKeyAttestation | _AppleAnonymousAttestation | TpmStatement


def _formats() -> Mapping[str, _Verifier]:
    return {
        "none": NoneAttestation(),
        "packed": PackedAttestation(),
        "tpm": TpmStatement(),
        "android-key": _AndroidKeyAttestation(),
        "apple": _AppleAnonymousAttestation(),
        "fido-u2f": FidoU2FAttestation(),
    }


FORMATS: Final = tuple(_formats())


def attested(
    made: AttestationObject, digest: bytes, policy: AttestationPolicy
) -> AttestationResult | PasskeyProblem:
    """What the statement is worth. `digest` is the SHA-256 of the client data. A statement with a wrong signature is refused even
    where none is required."""
    aaguid = _credential(made.auth_data).aaguid
    if policy.allowed and str(aaguid) not in policy.allowed:
        return PasskeyProblem("authenticator")
    # the library does not check that the name of the format is a text
    verifier = _formats().get(made.fmt) if isinstance(made.fmt, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]
    if verifier is None:
        return PasskeyProblem("attestation_format")
    try:
        checked = verifier.verify(made.att_stmt, made.auth_data, digest)
        path = tuple(bytes(der) for der in checked.trust_path)
        if len(path) > _MAX_CHAIN or not _names(path, aaguid):
            return PasskeyProblem("attestation")
    except (InvalidAttestation, *MALFORMED):
        return PasskeyProblem("attestation")
    kind = checked.attestation_type
    trust: Trust = "unknown"
    if policy.trust is not None and kind not in {AttestationType.NONE, AttestationType.SELF}:
        trust = policy.trust(bytes(aaguid), path)
    if trust == "revoked":
        return PasskeyProblem("attestation_revoked")
    if policy.allowed and policy.trust is not None and trust == "unknown":
        return PasskeyProblem("attestation_untrusted")
    if kind == AttestationType.NONE:
        return "none"
    if kind == AttestationType.SELF:
        return "self"
    # only a key in hardware is worth a level of its own
    return "verified" if trust == "trusted" else "unverified"


def chains_to(path: tuple[bytes, ...], roots: tuple[bytes, ...]) -> bool:
    """Whether the authenticator's certificate is one of the roots, or each certificate is issued by the next, which may issue, and the
    last by a root. Dates are not compared: authenticators outlive their certificates, and metadata says which are revoked."""
    if not path:
        return False
    if path[0] in roots:
        return True
    try:
        chain = [x509.load_der_x509_certificate(der) for der in path if der not in roots]
        for child, issuer in pairwise(chain):
            if not _issued_by(child, issuer):
                return False
        return any(_issued_by(chain[-1], x509.load_der_x509_certificate(root)) for root in roots)
    except MALFORMED:
        return False


def _issued_by(child: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        if not issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
    except x509.ExtensionNotFound:
        # certificates of version 1 have no extensions; only roots may be of it
        if issuer.version != x509.Version.v1 or issuer.issuer != issuer.subject:
            return False
    try:
        child.verify_directly_issued_by(issuer)
    except MALFORMED:
        return False
    return True


def _credential(auth_data: AuthenticatorData) -> Any:
    if auth_data.credential_data is None:
        raise ValueError("no credential data")
    return auth_data.credential_data


def _credential_key(auth_data: AuthenticatorData) -> CoseKey:
    return _credential(auth_data).public_key


def _same_key(certificate: x509.Certificate, key: CoseKey) -> bool:
    return key.from_cryptography_key(certificate.public_key()) == key


def _names(path: tuple[bytes, ...], aaguid: bytes) -> bool:
    """Whether the certificate names this AAGUID, if it names any (§8.2.1)."""
    if not path:
        return True
    try:
        named = x509.load_der_x509_certificate(path[0]).extensions.get_extension_for_oid(_AAGUID_EXTENSION)
    except x509.ExtensionNotFound:
        return True
    value = named.value
    return isinstance(value, x509.UnrecognizedExtension) and value.value[2:] == bytes(aaguid)


def _inner(number: int, content: bytes) -> list[tuple[int, bytes]]:
    if number not in {_PURPOSE, _ORIGIN}:
        return []
    ((_, inside),) = elements(content)
    # purpose is a SET OF INTEGER, origin an INTEGER, each in an explicit tag
    return elements(inside) if number == _PURPOSE else [(number, inside)]
