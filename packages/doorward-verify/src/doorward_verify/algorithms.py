"""Signing and verification for each JWS algorithm: RFC 7518 §3, RFC 8037 §3.1, RFC 9864."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)

# `Ed25519` is the name of RFC 9864; `EdDSA` is the older name of the same algorithm and is kept for old clients.
ED25519_NAMES: Final = frozenset({"Ed25519", "EdDSA"})
ASYMMETRIC: Final = frozenset({"ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519", "EdDSA"})
ISSUED: Final = ("ES256", "RS256", "EdDSA", "Ed25519")
"""With which Doorward signs access tokens. Each key of the issuer is also bound to one of them."""

Verify = Callable[[bytes, bytes], None]
"""(signature, data) -> None. Raises `InvalidSignature` or `ValueError`."""
Sign = Callable[[bytes], bytes]

_ES256: Final = ec.ECDSA(hashes.SHA256())
_ES256_DIGEST: Final = ec.ECDSA(Prehashed(hashes.SHA256()))  # hashlib is faster for so few bytes
_ES384: Final = ec.ECDSA(hashes.SHA384())
_ES512: Final = ec.ECDSA(hashes.SHA512())
_PKCS1: Final = padding.PKCS1v15()
_PSS: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
_SHA256: Final = hashes.SHA256()

_EC: Final[dict[str, tuple[ec.ECDSA, int]]] = {
    "ES256": (_ES256, 32),
    "ES384": (_ES384, 48),
    "ES512": (_ES512, 66),
}

# DER of a P-256 signature by the first bytes of r and s: with its top bit set an integer needs a zero byte before it.
# One that begins with a zero byte is shorter.
_TOP: Final = bytes([2] + [0] * 127 + [1] * 128)
_DER: Final = (
    (b"\x30\x44\x02\x20%b\x02\x20%b", b"\x30\x45\x02\x20%b\x02\x21\x00%b", None),
    (b"\x30\x45\x02\x21\x00%b\x02\x20%b", b"\x30\x46\x02\x21\x00%b\x02\x21\x00%b", None),
    (None, None, None),
)


def _verify_es256(key: ec.EllipticCurvePublicKey) -> Verify:
    check = key.verify

    def verify(signature: bytes, data: bytes) -> None:
        if len(signature) != 64:
            raise InvalidSignature
        form = _DER[_TOP[signature[0]]][_TOP[signature[32]]]
        if form is not None:
            der = form % (signature[:32], signature[32:])
        else:  # an integer that begins with a zero byte is shorter in DER: one in 128
            der = encode_dss_signature(
                int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            )
        check(der, sha256(data).digest(), _ES256_DIGEST)

    return verify


def _sign_es256(key: ec.EllipticCurvePrivateKey) -> Sign:
    make = key.sign

    def sign(data: bytes) -> bytes:
        # DER: 30 length 02 length r 02 length s, where an integer has up to 33 bytes, or fewer than 32
        der = make(sha256(data).digest(), _ES256_DIGEST)
        end = 4 + der[3]
        return der[4:end][-32:].rjust(32, b"\0") + der[end + 2 :][-32:].rjust(32, b"\0")

    return sign


def _verify_ec(key: ec.EllipticCurvePublicKey, ecdsa: ec.ECDSA, size: int) -> Verify:
    def verify(signature: bytes, data: bytes) -> None:
        if len(signature) != 2 * size:
            raise InvalidSignature
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        key.verify(encode_dss_signature(r, s), data, ecdsa)

    return verify


def verify_with(algorithm: str, key: Any) -> Verify:
    """Return the verification function of one algorithm for one public key. The caller has checked the key's type."""
    if algorithm == "ES256":
        return _verify_es256(key)
    if algorithm in _EC:
        return _verify_ec(key, *_EC[algorithm])
    if algorithm in ED25519_NAMES:
        public: ed25519.Ed25519PublicKey = key
        return public.verify
    rsa_key: rsa.RSAPublicKey = key
    scheme = _PKCS1 if algorithm == "RS256" else _PSS
    size = (rsa_key.key_size + 7) // 8

    def verify(signature: bytes, data: bytes) -> None:
        if len(signature) != size:
            raise InvalidSignature
        rsa_key.verify(signature, data, scheme, _SHA256)

    return verify


def sign_with(algorithm: str, key: Any) -> Sign:
    """Return the signing function of one algorithm for one private key. The caller has checked the key's type."""
    if algorithm == "ES256":
        return _sign_es256(key)
    if algorithm in _EC:
        ecdsa, size = _EC[algorithm]
        private: ec.EllipticCurvePrivateKey = key

        def sign(data: bytes) -> bytes:
            r, s = decode_dss_signature(private.sign(data, ecdsa))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")

        return sign
    if algorithm in ED25519_NAMES:
        edwards: ed25519.Ed25519PrivateKey = key
        return edwards.sign
    rsa_key: rsa.RSAPrivateKey = key
    scheme = _PKCS1 if algorithm == "RS256" else _PSS
    return lambda data: rsa_key.sign(data, scheme, _SHA256)
