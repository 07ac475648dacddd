"""Published examples of RFC 7515, 7520, 7638 and 8037."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import b64url_decode
from doorward_verify.jwk import parse_private, parse_public, signing_key, thumbprint
from doorward_verify.jws import verify
from doorward_verify.keyset import parse_jwks

VECTORS = Path(__file__).parent.parent / "vectors"
PRIVATE = {"d", "p", "q", "dp", "dq", "qi"}
ALGORITHMS = {"ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA"}


def load(name: str) -> list[Any]:
    document = json.loads((VECTORS / f"{name}.json").read_text())
    return [pytest.param(vector, id=f"{name} {vector['name']}") for vector in document["vectors"]]


def judge(vector: dict[str, Any], token: str) -> bytes:
    key = vector["key"] or {}
    public = {name: value for name, value in key.items() if name not in PRIVATE}
    keys = parse_jwks("https://issuer.example", {"keys": [public] if public else []})
    return verify(token, keys, algorithms=ALGORITHMS, types=None).payload


@pytest.mark.parametrize("vector", [*load("rfc7515"), *load("rfc7520"), *load("rfc8037")])
def test_published_tokens(vector: dict[str, Any]) -> None:
    token = vector["compact"]
    # RFC 8725 §3.5: an issuer never publishes a key that both sides share
    expected = "algorithm" if (vector["key"] or {}).get("kty") == "oct" else vector["expect"]
    if expected != "good":
        with pytest.raises(AuthError) as refused:
            judge(vector, token)
        assert refused.value.reason == expected
        return
    assert judge(vector, token) == b64url_decode(vector["payload_b64u"])
    for position in (0, len(token) // 2, len(token) - 3):
        flipped = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        with pytest.raises(AuthError):
            judge(vector, flipped)


@pytest.mark.parametrize("vector", load("thumbprints"))
def test_published_thumbprints(vector: dict[str, Any]) -> None:
    assert thumbprint(parse_public(vector["key"]).key) == vector["thumbprint"]


def test_ed25519_signs_as_published() -> None:
    vector = json.loads((VECTORS / "rfc8037.json").read_text())["vectors"][0]
    said, _, signature = vector["compact"].rpartition(".")
    assert parse_private(vector["key"]).sign(said.encode()) == b64url_decode(signature)


def test_signatures_whose_integers_have_any_length() -> None:
    private = ec.derive_private_key(0xD00D, ec.SECP256R1())
    pair = signing_key(private)
    # the first byte of r and of s decides how many bytes each has in DER: 31 or fewer, 32, or 33
    seen: set[tuple[int, int]] = set()
    deterministic = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    for number in range(2500):
        data = number.to_bytes(2, "big")
        one = b"".join(
            part.to_bytes(32, "big") for part in decode_dss_signature(private.sign(data, deterministic))
        )
        shape = (_integer(one[0]), _integer(one[32]))
        if shape not in seen:
            seen.add(shape)
            pair.public().verify(one, data)
            for wrong in (one[::-1], one[32:] + one[:32], bytes(32) + one[32:], one[:32] + bytes(32)):
                with pytest.raises(InvalidSignature):
                    pair.public().verify(wrong, data)
    assert len(seen) >= 8


def _integer(first: int) -> int:
    return 31 if first == 0 else 32 if first < 128 else 33
