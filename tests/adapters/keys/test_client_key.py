"""Private key from an operator's file: what is accepted, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from doorward.adapters.keys.client_key import client_key

P256 = ec.generate_private_key(ec.SECP256R1())


def written(
    folder: Path,
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | dsa.DSAPrivateKey,
) -> str:
    path = folder / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(path)


def test_each_kind_of_key_is_for_its_algorithm(tmp_path: Path) -> None:
    assert client_key(written(tmp_path, P256)).alg == "ES256"
    assert client_key(written(tmp_path, P256), "ES256").alg == "ES256"
    assert client_key(written(tmp_path, ed25519.Ed25519PrivateKey.generate())).alg == "EdDSA"
    assert client_key(written(tmp_path, rsa.generate_private_key(65537, 2048))).alg == "RS256"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "holds a key for ES384; one for ES256 is needed"),
        (ed25519.Ed25519PrivateKey.generate(), "holds a key for EdDSA; one for ES256 is needed"),
    ],
)
def test_a_service_that_takes_one_algorithm_gets_no_other(
    tmp_path: Path, key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        client_key(written(tmp_path, key), "ES256")


def test_a_file_without_a_usable_key_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        client_key(str(tmp_path / "none"))
    for content in (b"", b"\xff", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"):
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(ValueError, match="holds no private key"):
            client_key(str(tmp_path / "bad"))
    sealed = P256.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    (tmp_path / "sealed").write_bytes(sealed)
    with pytest.raises(ValueError, match="without a passphrase"):
        client_key(str(tmp_path / "sealed"))
    with pytest.raises(ValueError, match="neither EC, Ed25519 nor RSA"):
        client_key(written(tmp_path, dsa.generate_private_key(1024)))
    with pytest.raises(ValueError, match="cannot be used"):
        client_key(written(tmp_path, rsa.generate_private_key(65537, 1024)))
