"""Claims of an access token (RFC 9068 §2.2; `act` and `may_act` as in RFC 8693 §4)."""

from __future__ import annotations

from typing import Any, Final

from doorward.core.model.client import Client, SigningAlgorithm
from doorward.core.model.config_snapshot import Api, TokenType
from doorward.core.model.entitlement import Entitlement
from doorward.core.model.policy import TokenPolicy

DEFAULT: Final[SigningAlgorithm] = "ES256"


def form(client: Client | None, api: Api | None) -> tuple[SigningAlgorithm, TokenType]:
    """Algorithm and `typ` of this app's access tokens for `api`; None for a token without app, or without API.

    The API verifies the token, so its choice comes first. If it made none, an app registered before APIs had this setting keeps its
    algorithm.
    """
    chosen = None if api is None else api.signing_alg
    own = None if client is None else client.access_token_signed_alg
    return chosen or own or DEFAULT, "at+jwt" if api is None else api.token_type


def lifetime(client: Client | None, policy: TokenPolicy) -> int:
    """Lifetime of this app's access tokens in seconds; None for tokens without app."""
    own = None if client is None else client.access_token_ttl
    return own or policy.access_ttl


def claims(
    entitlement: Entitlement, *, issuer: str, now: int, ttl: int, unique: str, may_act: str | None = None
) -> dict[str, Any]:
    """The payload. `unique` is at least 128 random bits; the id before it allows one entry to revoke all tokens of a grant, of an API
    key, of a trusted issuer or of an exchange. `may_act` is the app that alone may become the actor of this token (RFC 8693 §4.4)."""
    said: dict[str, Any] = {
        "iss": issuer,
        "sub": entitlement.account_id or entitlement.subject or entitlement.client_id,
        "aud": entitlement.audience,
        "client_id": entitlement.client_id,
        "iat": now,
        "exp": now + ttl,
        "jti": f"{entitlement.grant_id}.{unique}",
        "scope": " ".join(entitlement.scopes),
        "roles": entitlement.roles,
        "permissions": entitlement.permissions,
    }
    if entitlement.account_id is not None:
        # a token made from an API key rests on no sign-in
        if entitlement.auth_time is not None:
            said["auth_time"] = entitlement.auth_time
            said["acr"] = entitlement.acr
            said["amr"] = entitlement.amr
        if entitlement.session_id is not None:
            said["sid"] = entitlement.session_id
    if entitlement.actor is not None:
        said["act"] = entitlement.actor
    if may_act is not None:
        said["may_act"] = {"sub": may_act}
    return said
