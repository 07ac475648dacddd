"""Web pages that are an app's own and may ask in its name (Fetch standard §3.3, CORS; for browsers alone: whatever is no page
sends no Origin)"""

from __future__ import annotations

from collections.abc import Iterable
from shlex import quote

from doorward.core.errors import Refusal
from doorward.core.model.client import Client
from doorward.core.web_origin import web_origin


def origins(client: Client) -> frozenset[str]:
    """The origins of the app's pages: those that are registered, and those of its redirect URIs, where its codes arrive anyway."""
    named = (web_origin(uri) for uri in (*client.origins, *client.redirect_uris))
    return frozenset(origin for origin in named if origin is not None)


def may_ask(client: Client, *, origin: str | None, own_origin: str | None) -> Refusal | None:
    """Whether a request with this Origin may be made in the app's name. None: it may.

    Without an Origin it comes from no page (a native app, a command line). An app that has shown a credential is believed: no page has
    it.
    """
    if origin is None or client.confidential or origin == own_origin or origin in origins(client):
        return None
    named = " ".join(f"--origin {quote(each)}" for each in (*client.origins, origin[:300]))
    return Refusal(
        "unauthorized_client",
        "This web origin may not sign people in.",
        f"origin {origin[:300]} is none of app {client.name!r}: {', '.join(sorted(origins(client))) or 'it has none'}. "
        f"Fix: doorward app set {quote(client.name)} {named}",
    )


def known(clients: Iterable[Client], origin: str) -> bool:
    """Whether any app of the house has pages there: all that can be known at a preflight, which names no app."""
    return any(client.first_party and origin in origins(client) for client in clients)
