"""Must the person be asked whether the app may? (OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2.4, ASVS 10.7)"""

from __future__ import annotations

from doorward.core.model.client import Client
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Consent


def needed(client: Client, request: AuthRequest, granted: tuple[str, ...], earlier: Consent | None) -> bool:
    """Whether to ask.

    `granted` are the scopes that would be given. An app of the house (first party) is not asked for, unless it asks to be. Others are asked
    for once per audience and again for every scope not yet allowed; a public app without a registered https address cannot
    be told from an impostor, so it is asked for every time (OAuth 2.1 §7.8, line 12).
    """
    if "consent" in request.prompt:
        return True
    if client.first_party:
        return False
    if not trusted_address(client, request):
        return True
    return earlier is None or not set(granted).issubset(earlier.scopes)


def trusted_address(client: Client, request: AuthRequest) -> bool:
    """Whether the answer can only reach the app itself: it proves itself with a credential, or owns an https address."""
    return client.confidential or request.redirect_uri.startswith("https://")
