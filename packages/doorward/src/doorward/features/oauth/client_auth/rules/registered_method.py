"""Check that the app uses an authentication method for which it is registered (RFC 6749 §2.3.1, RFC 7591 §2, R24)."""

from __future__ import annotations

from shlex import quote

from doorward.core.errors import OAuthError
from doorward.core.model.client import SECRET_METHODS, Client
from doorward.features.oauth.client_auth.method import FAILED, Presented


def registered(presented: Presented, client: Client) -> OAuthError | None:
    """None when it does. A secret may come by Basic or in the body, unless the app is pinned to one of the two. No other method
    replaces another: a stolen secret is useless for an app that signs assertions, and a public app must not send a credential."""
    if presented.method == client.auth_method:
        return None
    secret = presented.method in SECRET_METHODS and client.auth_method in SECRET_METHODS
    if secret and not client.auth_pinned:
        return None
    return OAuthError(
        "invalid_client",
        FAILED,
        f"app {client.name!r} is registered for {client.auth_method} and used {presented.method}",
        fix=f"doorward app set {quote(client.name)} --auth-method client_secret" if secret else "",
    )
