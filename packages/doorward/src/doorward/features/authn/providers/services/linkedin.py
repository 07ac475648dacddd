"""LinkedIn: an OpenID provider that returns no nonce, and answers `invalid_client` to PKCE unless an app has it enabled."""

from __future__ import annotations

from typing import Final

from doorward.features.authn.providers.services.service import CANCELLED, ProviderService

LINKEDIN: Final = ProviderService(
    name="linkedin",
    defaults={
        # until August 2024 it was without /oauth
        "issuer": "https://www.linkedin.com/oauth",
        "label": "LinkedIn",
        "client_auth": "client_secret_post",
        "signing_algs": ("RS256",),
        "pkce": False,
        "nonce": False,
    },
    cancelled=CANCELLED | {"user_cancelled_login", "user_cancelled_authorize"},
    unbound_codes=True,
    takes_questions=False,
)
