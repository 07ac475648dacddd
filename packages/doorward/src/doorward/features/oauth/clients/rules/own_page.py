"""Web pages that belong to an app and may send requests in its name (Fetch standard §3.3, CORS; for browsers only, since other clients
send no Origin)."""

from __future__ import annotations

from collections.abc import Iterable
from shlex import quote

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.web_origin import web_origin


def origins(client: Client) -> frozenset[str]:
    """The origins of the app's pages: the registered ones, and those of its redirect URIs, which receive its codes anyway."""
    named = (web_origin(uri) for uri in (*client.origins, *client.redirect_uris))
    return frozenset(origin for origin in named if origin is not None)


def may_ask(client: Client, *, origin: str | None, own_origin: str | None) -> OAuthError | None:
    """Whether a request with this Origin may be made in the app's name. None: it may.

    A request without Origin does not come from a page (a native app, a command line). A request with a verified credential is
    accepted: no page has one.
    """
    if origin is None or client.confidential or origin == own_origin or origin in origins(client):
        return None
    named = " ".join(f"--origin {quote(each)}" for each in (*client.origins, origin[:300]))
    return OAuthError(
        "unauthorized_client",
        "This web origin may not sign people in.",
        f"origin {origin[:300]} is none of app {client.name!r}: {', '.join(sorted(origins(client))) or 'it has none'}",
        fix=f"doorward app set {quote(client.name)} {named}",
    )


def known(clients: Iterable[Client], origin: str) -> bool:
    """Whether any first-party app has pages at this origin. A preflight names no app, so nothing more can be checked."""
    return any(client.first_party and origin in origins(client) for client in clients)
