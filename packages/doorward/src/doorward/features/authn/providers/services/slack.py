"""Slack: an OpenID provider with PKCE for public clients alone; the nonce ties its codes to the browser."""

from __future__ import annotations

from typing import Final

from doorward.features.authn.providers.services.service import ProviderService

SLACK: Final = ProviderService(
    name="slack",
    defaults={
        "issuer": "https://slack.com",
        "label": "Slack",
        "client_auth": "client_secret_post",
        "signing_algs": ("RS256",),
        "pkce": False,
    },
    takes_questions=False,
)
