"""Verification of this server's own access tokens (RFC 9068 §4, without the audience, which the caller checks)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from doorward_verify import jws
from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import Malformed, json_object
from doorward_verify.keyset import KeySet

ALGORITHMS: Final = ("ES256", "RS256", "Ed25519")
_TYPES: Final = frozenset({"at+jwt", "jwt"})
_IN_EVERY_ACCESS_TOKEN: Final = frozenset({"client_id", "jti", "scope"})
_IN_NO_ACCESS_TOKEN: Final = frozenset({"at_hash", "nonce", "events"})


def is_access(claims: Mapping[str, Any]) -> bool:
    """Whether claims signed by this server are those of an access token. The `typ` is not enough: an API may be set to `JWT`, which ID
    tokens and signed userinfo responses have too. Those never carry `client_id`, `jti` or `scope`; an ID token always has `at_hash`."""
    return claims.keys() >= _IN_EVERY_ACCESS_TOKEN and claims.keys().isdisjoint(_IN_NO_ACCESS_TOKEN)


def claims(token: str, keys: KeySet, *, issuer: str, now: int) -> dict[str, Any] | None:
    """The claims when signature, type, issuer and lifetime are valid, else None. Revocation is not checked here."""
    try:
        said: dict[str, Any] = json_object(
            jws.verify(token, keys, algorithms=ALGORITHMS, types=_TYPES).payload
        )
    except (AuthError, Malformed):
        return None
    # The signature vouches for the format of all other claims; an old key could have signed for another issuer with these keys.
    if said.get("iss") != issuer or not isinstance(said.get("exp"), int) or said["exp"] <= now:
        return None
    return said if is_access(said) else None
