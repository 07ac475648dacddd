"""Access tokens for the verifiers: in Doorward's own format, signed here, all different."""

import base64
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://auth.example.com"
AUDIENCE = "https://orders.example.com"
_ECDSA = ec.ECDSA(hashes.SHA256())
_KID = "bench-es256"
_LIFE = 3600


@dataclass(frozen=True, slots=True)
class Minted:
    """A token with the precomputed input of a raw verification: the signed bytes and the DER signature."""

    text: str
    signed: bytes
    der: bytes


def _b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Mint:
    """One ES256 key and the tokens made with it."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.public_key = self._key.public_key()
        self._header = _b64(msgspec.json.encode({"alg": "ES256", "kid": _KID, "typ": "at+jwt"}))

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The key set as an issuer publishes it."""
        numbers = self.public_key.public_numbers()
        key = {"kty": "EC", "crv": "P-256", "kid": _KID, "alg": "ES256", "use": "sig"}
        for name, value in (("x", numbers.x), ("y", numbers.y)):
            key[name] = _b64(value.to_bytes(32, "big")).decode()
        return {"keys": [key]}

    def mint(self, count: int) -> list[Minted]:
        """`count` valid tokens of a signed-in person, each with its own ids, valid for an hour."""
        return [self._one() for _ in range(count)]

    def _one(self) -> Minted:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": f"usr_{uuid.uuid4().hex}",
            "aud": AUDIENCE,
            "client_id": f"app_{uuid.uuid4().hex}",
            "iat": now,
            "exp": now + _LIFE,
            "jti": f"grt_{uuid.uuid4().hex}.{uuid.uuid4().hex[:22]}",
            "scope": "openid orders:read orders:write",
            "roles": ["buyer"],
            "permissions": ["orders:read", "orders:write"],
            "auth_time": now,
            "acr": "urn:doorward:aal1",
            "amr": ["pwd"],
            "sid": f"ses_{uuid.uuid4().hex}",
        }
        signed = self._header + b"." + _b64(msgspec.json.encode(claims))
        der = self._key.sign(signed, _ECDSA)
        r, s = decode_dss_signature(der)
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return Minted(text=(signed + b"." + _b64(raw)).decode(), signed=signed, der=der)


def fresh_copies(texts: Sequence[str], times: int) -> list[str]:
    """Each text `times` times, each copy a separate string object whose hash is not computed yet: as in an
    API, where each request brings its token in new bytes."""
    return [text.encode().decode() for _ in range(times) for text in texts]
