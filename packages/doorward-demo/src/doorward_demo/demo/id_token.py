"""Validation of the ID token, OpenID Connect Core §3.1.3.7, with doorward-verify's signature check."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final, TypeGuard

from msgspec import Struct

from doorward_verify import jws
from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import Malformed, b64url_encode, json_object
from doorward_verify.keyset import KeySet

ALGORITHMS: Final = ("ES256", "RS256", "Ed25519")
_HASHES: Final = {"ES256": "sha256", "RS256": "sha256", "Ed25519": "sha512"}
SKEW: Final = 10
"""Accepted clock skew in seconds."""


class IdToken(Struct, frozen=True):
    """The person, the session, and all other claims."""

    sub: str
    sid: str | None
    claims: dict[str, Any]


def verify(
    token: str,
    keys: KeySet,
    *,
    issuer: str,
    client_id: str,
    nonce: str | None,
    access_token: str | None,
    now: float,
) -> IdToken:
    """Validate an ID token. Raises `AuthError`. `nonce` None: for one from a refresh, which has no nonce to
    compare (§12.2)."""
    signed = jws.verify(token, keys, algorithms=ALGORITHMS, types={"jwt"})
    claims = payload(signed)
    if claims.get("iss") != issuer:
        raise AuthError("issuer", "the ID token is of another issuer")
    if not _for_us(claims, client_id):
        raise AuthError("audience", "the ID token is made out to another app")
    expires, issued, subject = claims.get("exp"), claims.get("iat"), claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise AuthError("claims", "the ID token names nobody")
    if not _is_time(expires) or not _is_time(issued):
        raise AuthError("claims", "the ID token says not from when until when it holds")
    if now >= expires + SKEW:
        raise AuthError("expired", "the ID token has expired")
    if issued > now + SKEW:
        raise AuthError("not_yet_valid", "the ID token comes from the future")
    said = claims.get("nonce")
    if nonce is not None and (
        not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode())
    ):
        raise AuthError("claims", "the ID token answers another sign-in: its nonce is not ours")
    if access_token is not None and claims.get("at_hash") != at_hash(access_token, signed.header.alg):
        raise AuthError("claims", "the ID token belongs to another access token: at_hash")
    sid = claims.get("sid")
    return IdToken(subject, sid if isinstance(sid, str) else None, claims)


def payload(signed: jws.Jws) -> dict[str, Any]:
    """The claims of a token with a valid signature. Raises `AuthError`."""
    try:
        return json_object(signed.payload)
    except Malformed as error:
        raise AuthError("malformed", f"the payload is {error}") from None


def at_hash(access_token: str, alg: str) -> str:
    """The left half of the token's hash, by the hash of the ID token's algorithm (§3.1.3.6)."""
    hashed = hashlib.new(_HASHES[alg], access_token.encode("ascii")).digest()
    return b64url_encode(hashed[: len(hashed) // 2])


def _for_us(claims: dict[str, Any], client_id: str) -> bool:
    audience = claims.get("aud")
    if audience in (client_id, [client_id]):
        return True
    # with more than one audience, `azp` must name this client (§3.1.3.7 points 4 and 5)
    return isinstance(audience, list) and client_id in audience and claims.get("azp") == client_id


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
