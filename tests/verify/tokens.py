"""Tokens of every kind, built by hand where no correct library would build them. Nothing here reads the clock."""

import hmac
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from doorward_verify.claims import AccessRules, Verified
from doorward_verify.encoding import b64url_encode
from doorward_verify.jwk import SigningKey, signing_key
from doorward_verify.keyset import KeySet, key_set
from doorward_verify.verifier import Verifier

ISSUER: Final = "https://auth.example.com"
AUDIENCE: Final = "https://api.example.com"
NOW: Final = 1_800_000_000
ALL: Final = frozenset({"ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "Ed25519"})

P256: Final = signing_key(ec.generate_private_key(ec.SECP256R1()), kid="p256")
P384: Final = signing_key(ec.generate_private_key(ec.SECP384R1()), kid="p384")
P521: Final = signing_key(ec.generate_private_key(ec.SECP521R1()), kid="p521")
ED: Final = signing_key(ed25519.Ed25519PrivateKey.generate(), kid="ed")
_RSA: Final = rsa.generate_private_key(65537, 2048)
RS: Final = signing_key(_RSA, kid="rs", alg="RS256")
PS: Final = signing_key(rsa.generate_private_key(65537, 2048), kid="ps", alg="PS256")
EVERY_KEY: Final = (P256, P384, P521, ED, RS, PS)
KEYS: Final = key_set(ISSUER, [key.public() for key in EVERY_KEY])


def claims(**others: Any) -> dict[str, Any]:
    """The claims of a good token in Doorward's own order; None removes one."""
    members: dict[str, Any] = {
        "iss": ISSUER,
        "sub": "usr_1",
        "aud": AUDIENCE,
        "client_id": "app_1",
        "iat": NOW - 10,
        "exp": NOW + 290,
        "jti": "grt_1.abc",
        "scope": "orders:read orders:write",
        "roles": ["clerk"],
        "permissions": ["orders:read"],
        "auth_time": NOW - 60,
        "acr": "aal1",
        "amr": ["pwd"],
        "sid": "ses_1",
    }
    members.update(others)
    return {name: value for name, value in members.items() if value is not None}


def raw(
    header: bytes | dict[str, Any], payload: bytes | dict[str, Any], key: SigningKey | bytes | None = P256
) -> str:
    """A token with exactly this header and payload. A bytes key signs with HMAC; None leaves the signature empty."""
    head = header if isinstance(header, bytes) else msgspec.json.encode(header)
    body = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
    said = f"{b64url_encode(head)}.{b64url_encode(body)}"
    if key is None:
        return said + "."
    signature = (
        hmac.digest(key, said.encode(), "sha256") if isinstance(key, bytes) else key.sign(said.encode())
    )
    return f"{said}.{b64url_encode(signature)}"


def header(key: SigningKey = P256, **others: Any) -> dict[str, Any]:
    """A good header; None removes a member."""
    members: dict[str, Any] = {"alg": key.alg, "kid": key.kid, "typ": "at+jwt", **others}
    return {name: value for name, value in members.items() if value is not None}


def good(key: SigningKey = P256, **others: Any) -> str:
    return raw(header(key), claims(**others), key)


_GOOD = good()


def verifier(keys: KeySet = KEYS, *, algorithms: frozenset[str] = ALL, leeway: int = 0) -> Verifier:
    return Verifier(AccessRules(ISSUER, AUDIENCE, algorithms, leeway), keys)


def reason(token: Any, now: float = NOW, with_: Verifier | None = None) -> str:
    """The reason of a refusal, or "good". Verified a second time, which is the faster path of a token that was good, and after a good token
    with the same header, which is that of one that is refused."""
    judge = with_ or verifier()
    verdicts = [judge.verify(token, now), judge.verify(token, now)]
    if with_ is None:
        warm = verifier()
        assert isinstance(warm.verify(_GOOD, NOW), Verified)
        verdicts.append(warm.verify(token, now))
    words = [getattr(verdict, "reason", "good") for verdict in verdicts]
    assert len({*words}) == 1, words
    return words[0]
