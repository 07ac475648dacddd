"""Private key with which this server authenticates elsewhere, from a PEM file of the operator's."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from doorward_verify.jwk import InvalidKey, SigningKey, signing_key


def client_key(path: str, alg: str | None = None) -> SigningKey:
    """The key, named by its RFC 7638 thumbprint. `alg`: the only algorithm that it may be for. Raises OSError, and ValueError with the reason
    for a file that holds no usable key."""
    try:
        key = load_pem_private_key(Path(path).read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("holds no private key in PEM without a passphrase") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey):
        raise ValueError("holds a key that is neither EC, Ed25519 nor RSA")
    try:
        made = signing_key(key)
    except InvalidKey as problem:
        raise ValueError(f"holds a key that cannot be used: {problem}") from None
    if alg is not None and made.alg != alg:
        raise ValueError(f"holds a key for {made.alg}; one for {alg} is needed")
    return made
