"""ID token hints: this server's ID tokens, sent back by apps (OpenID Connect Core §3.1.2.1, RP-Initiated Logout 1.0 §4)."""

from __future__ import annotations

from typing import Any

from doorward.core.ports.keys import TokenSigner
from doorward.features.oauth.logout.rules.logout import Hint
from doorward.features.oauth.tokens.rules import own_token
from doorward_verify import jws
from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import Malformed, json_object
from doorward_verify.keyset import KeySet

ALGORITHMS = ("ES256", "RS256", "Ed25519")


def read_id_token_hint(token: str, *, signer: TokenSigner, issuer: str) -> Hint | None:
    """The claims of the hint, or None when it is invalid (then it counts as not sent): signature, issuer and type JWT are verified.

    A hint still identifies the person after its expiry, or after the rotation of its key; a hint signed by a revoked key is invalid.
    """
    payload = _payload(token, signer.keys())
    published = payload is not None
    if payload is None:
        payload = _payload(token, signer.retired_keys())
    if payload is None:
        return None
    try:
        claims: dict[str, Any] = json_object(payload)
    except Malformed:
        return None
    if own_token.is_access(claims):
        return None  # for an API that is set to type JWT
    sub, sid, aud, exp = claims.get("sub"), claims.get("sid"), claims.get("aud"), claims.get("exp")
    if claims.get("iss") != issuer or not isinstance(sub, str):
        return None
    audiences: list[Any] = aud if isinstance(aud, list) else [aud]  # pyright: ignore[reportUnknownVariableType]
    return Hint(
        sub=sub,
        sid=sid if isinstance(sid, str) else None,
        aud=tuple(item for item in audiences if isinstance(item, str)),
        exp=exp if isinstance(exp, int) else 0,
        published=published,
    )


def _payload(token: str, keys: KeySet) -> bytes | None:
    try:
        return jws.verify(token, keys, algorithms=ALGORITHMS, types=("jwt",)).payload
    except (AuthError, Malformed):
        return None
