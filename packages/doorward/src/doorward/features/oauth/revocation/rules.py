"""Ownership check of a token that an app revokes (RFC 7009 §2.1)."""

from __future__ import annotations

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client


def owner(client: Client, given_to: str) -> OAuthError | None:
    """None when the token was issued to this app. A token of another app is not touched (R54)."""
    if given_to == client.id:
        return None
    return OAuthError(
        "unauthorized_client",
        "This token was not given to this app.",
        f"app {client.id} tried to revoke a token of app {given_to}",
    )
