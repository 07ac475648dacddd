"""Who may hear what about a token? (RFC 7662 §2.2, §4, line 56)"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Catalog
from doorward.core.model.grant import Grant, RefreshToken

INACTIVE: Final[dict[str, Any]] = {"active": False}
"""All that is ever said about a token that does not hold, or that is none of the asker's business."""


def may_see(claims: Mapping[str, Any], asker: Client, catalog: Catalog) -> bool:
    """The app that the token was given to, or the app as which the API that it is meant for introspects."""
    if claims["client_id"] == asker.id:
        return True
    api = catalog.apis.get(claims["aud"])
    return api is not None and api.client_id == asker.id


def of_access(claims: Mapping[str, Any]) -> dict[str, Any]:
    """The answer about an access token: what it says itself (RFC 9068 §2.2 names are RFC 7662 names)."""
    return {"active": True, "token_type": "Bearer", **claims}


def of_refresh(token: RefreshToken, grant: Grant, *, answered: bool, newest: bool) -> dict[str, Any]:
    """The answer about a refresh token to its own app. `answered`: whether the token endpoint would answer that app's request with it
    now, so that both say the same of a spent one; `newest`: whether it is the one that was given out at `token.created_at`."""
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
