"""Access rules and responses of introspection (RFC 7662 §2.2, §4, R56)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.grant import Grant, RefreshToken
from doorward.features.api_keys.rules.cut import VerifiedKey

INACTIVE: Final[dict[str, Any]] = {"active": False}
"""The only response about a token that is invalid, or that the caller may not see."""


def may_see(claims: Mapping[str, Any], asker: Client, config: ConfigSnapshot) -> bool:
    """Whether the caller is the app to which the token was issued, or the app as which the token's API introspects."""
    if claims["client_id"] == asker.id:
        return True
    api = config.apis.get(claims["aud"])
    return api is not None and api.client_id == asker.id


def of_access(claims: Mapping[str, Any]) -> dict[str, Any]:
    """The response about an access token: its own claims (RFC 9068 §2.2 names are RFC 7662 names)."""
    return {"active": True, "token_type": "Bearer", **claims}


def introspected(asker: Client, config: ConfigSnapshot) -> frozenset[str]:
    """The APIs as which an app introspects: it is answered about their API keys, and about no other."""
    return frozenset(api.identifier for api in config.apis.values() if api.client_id == asker.id)


def of_api_key(verified: VerifiedKey, *, issuer: str) -> dict[str, Any]:
    """The response about an API key: what a token made from it says, until the key expires."""
    key, allowed = verified.key, verified.allowed
    return {
        "active": True,
        "token_type": "Bearer",
        "iss": issuer,
        "sub": key.account_id or key.client_id,
        "aud": key.audience,
        "client_id": key.id if key.account_id is not None else key.client_id,
        "iat": key.rotated_at or key.created_at,
        "exp": verified.until,
        "jti": key.token_prefix,
        "scope": " ".join(allowed.scopes),
        "roles": allowed.roles,
        "permissions": allowed.scopes,
    }


def of_refresh(token: RefreshToken, grant: Grant, *, answered: bool, newest: bool) -> dict[str, Any]:
    """The response about a refresh token to its own app. `answered`: whether the token endpoint would accept it now, so that both
    endpoints agree about a spent one; `newest`: whether it is the one issued at `token.created_at`."""
    if not answered:
        return INACTIVE
    return {
        "active": True,
        "client_id": grant.client_id,
        "sub": grant.account_id,
        "aud": grant.audience,
        "scope": " ".join(grant.scopes),
        **({"iat": token.created_at} if newest else {}),
        "exp": min(token.expires_at, grant.expires_at),
    }
