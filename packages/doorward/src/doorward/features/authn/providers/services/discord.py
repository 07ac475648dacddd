"""Discord: OAuth 2.0 with a document of the person, which says whether the address is confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, final

from doorward.features.authn.providers.services.oauth2 import OAuth2Service

if TYPE_CHECKING:
    from doorward.features.authn.providers.settings import ProviderPolicy


@final
class _Discord(OAuth2Service, frozen=True, kw_only=True):
    def display_name(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> object:
        """The name that the person shows; those who chose none have only their user name."""
        return OAuth2Service.display_name(self, claims, policy) or claims.get("username")


DISCORD: Final = _Discord(
    name="discord",
    defaults={
        "issuer": "https://discord.com",
        "label": "Discord",
        "client_auth": "client_secret_post",
        "scopes": ("identify", "email"),
        "authorization_endpoint": "https://discord.com/oauth2/authorize",
        "token_endpoint": "https://discord.com/api/oauth2/token",
        "userinfo_endpoint": "https://discord.com/api/users/@me",
        "name_member": "global_name",
        "email_verified_member": "verified",
    },
)
