"""Necessity of consent (OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2.4, ASVS 10.7)."""

from __future__ import annotations

from doorward.core.model.client import Client
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Consent


def needed(client: Client, request: AuthRequest, granted: tuple[str, ...], earlier: Consent | None) -> bool:
    """Whether the person must be asked.

    `granted` are the scopes to be granted. A first-party app needs consent only if it requests the page. Another app needs it once
    per audience, and again for every new scope. A public app without a registered https address could be an impostor, so it needs
    consent every time (OAuth 2.1 §7.8, R12).
    """
    if "consent" in request.prompt:
        return True
    if client.first_party:
        return False
    if not trusted_address(client, request):
        return True
    return earlier is None or not set(granted).issubset(earlier.scopes)


def trusted_address(client: Client, request: AuthRequest) -> bool:
    """Whether the response can only reach the app itself: it has a credential, or an https address."""
    return client.confidential or request.redirect_uri.startswith("https://")
