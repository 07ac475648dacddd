"""Necessity of consent (OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2.4, ASVS 10.7)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Consent
from doorward.features.oauth.clients.rules.redirect_uri import on_this_device


def left_out(request: AuthRequest, granted: Iterable[str], api: Api | None) -> tuple[str, ...]:
    """The requested permissions of the API that this person's roles do not give, in the order of the request."""
    offered = {permission.name for permission in api.permissions} if api is not None else set[str]()
    return tuple(name for name in request.scopes if name in offered.difference(granted))


def empty_handed(request: AuthRequest, granted: Iterable[str], api: Api | None) -> bool:
    """Whether the app asked for permissions of the API, and this person's roles give none of them."""
    missing = left_out(request, granted, api)
    offered = {permission.name for permission in api.permissions} if api is not None else set[str]()
    return bool(missing) and offered.isdisjoint(granted)


def needed(
    client: Client,
    request: AuthRequest,
    granted: tuple[str, ...],
    earlier: Consent | None,
    *,
    nothing: bool = False,
) -> bool:
    """Whether the person must be asked.

    `granted` are the scopes to be granted. A first-party app needs consent only if it requests the page. Another app needs it once
    per audience, and again for every new scope. A public app without a registered https address could be an impostor, so it needs
    consent every time (OAuth 2.1 §7.8, R12). So does one that gets `nothing` of what it asked for, and did not come to sign the
    person in: without the page it would be refused by the API, ask again, and be refused again, and nobody would learn why.
    So does an app that no operator registered, and one at a port of localhost that is not registered (R1).
    """
    if "consent" in request.prompt or client.self_registered or free_port(client, request):
        return True
    if client.first_party:
        return False
    if not trusted_address(client, request) or (nothing and "openid" not in request.scopes):
        return True
    return earlier is None or not set(granted).issubset(earlier.scopes)


def free_port(client: Client, request: AuthRequest) -> bool:
    """Whether the response goes to a port of http://localhost that is not registered: any program on the device could listen there."""
    uri = request.redirect_uri
    if not client.free_localhost:
        return False
    return on_this_device(uri) and urlsplit(uri).hostname == "localhost" and uri not in client.redirect_uris


def trusted_address(client: Client, request: AuthRequest) -> bool:
    """Whether the response can only reach the app itself: it has a credential, or an https address."""
    return client.confidential or request.redirect_uri.startswith("https://")
