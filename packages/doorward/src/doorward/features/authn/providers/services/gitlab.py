"""GitLab: an OpenID provider, at gitlab.com or on a server of one's own, whose address is then the `issuer`."""

from __future__ import annotations

from typing import Final

from doorward.features.authn.providers.services.service import ProviderService

GITLAB: Final = ProviderService(
    name="gitlab", defaults={"issuer": "https://gitlab.com", "label": "GitLab", "signing_algs": ("RS256",)}
)
