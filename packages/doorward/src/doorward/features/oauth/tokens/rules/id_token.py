"""Claims of an ID token (OpenID Connect Core §2, §3.1.3.6; `sid` as in Back-Channel Logout 1.0 §2.1)."""

from __future__ import annotations

from hashlib import sha256, sha512
from typing import Any, Final, assert_never

from doorward.core.model.account import Account
from doorward.core.model.client import Client, SigningAlgorithm
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.grant import Grant
from doorward.features.oauth.tokens.rules import person
from doorward_verify.encoding import b64url_encode

TYP: Final = "JWT"


def claims(
    grant: Grant,
    *,
    account: Account,
    client: Client,
    config: ConfigSnapshot,
    scopes: tuple[str, ...],
    access_token: str,
    issuer: str,
    now: int,
    ttl: int,
    first: bool,
) -> dict[str, Any]:
    """The payload. `first` is true for the response to the authorization request; only that ID token carries the nonce (§12.2).

    The claims of scopes are included here as well as in userinfo, since many clients read nothing else, unless the app is registered
    for those of the `claims` parameter only.
    """
    said: dict[str, Any] = {
        **person.claims(
            account,
            client,
            config=config,
            scopes=scopes if client.id_token_claims == "all" else (),
            asked=grant.claims.get("id_token") or {},
        ),
        "iss": issuer,
        "sub": account.id,
        "aud": client.id,
        "iat": now,
        "exp": now + ttl,
        "auth_time": grant.auth_time,
        "acr": grant.acr,
        "amr": grant.amr,
        "at_hash": at_hash(access_token, client.id_token_signed_alg),
    }
    if grant.session_id is not None:
        said["sid"] = grant.session_id
    if first and grant.nonce is not None:
        said["nonce"] = grant.nonce
    return said


def at_hash(access_token: str, alg: SigningAlgorithm) -> str:
    """The left half of the token's hash, with the hash function of the ID token's algorithm (§3.1.3.6); Ed25519 uses SHA-512."""
    match alg:
        case "ES256" | "RS256":
            hashed = sha256(access_token.encode("ascii")).digest()
        case "Ed25519":
            hashed = sha512(access_token.encode("ascii")).digest()
        case _:
            assert_never(alg)
    return b64url_encode(hashed[: len(hashed) // 2])
