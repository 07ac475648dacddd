"""GitHub: OAuth 2.0 with S256, numbered people, and their addresses in a list of its own. At github.com, or on an Enterprise Server, whose
endpoints and `issuer` the section then names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast, final

from doorward.features.authn.providers.services.oauth2 import OAuth2Service

if TYPE_CHECKING:
    from doorward.features.authn.providers.settings import ProviderPolicy

_EMAILS: Final = "emails"
_READ_EMAILS: Final = frozenset({"user:email", "user"})


@final
class _GitHub(OAuth2Service, frozen=True, kw_only=True):
    def translated(self, asked: Mapping[str, str]) -> Mapping[str, str]:
        """The account to suggest, and whether people choose among several."""
        found = {"login": asked["login_hint"]} if "login_hint" in asked else {}
        choose = "select_account" in asked.get("prompt", "").split()
        return {**found, "prompt": "select_account"} if choose else found

    def documents(self, policy: ProviderPolicy, access_token: str) -> Mapping[str, str]:
        """The person, and their addresses: most people keep theirs private, so that it is in the second document alone."""
        found = OAuth2Service.documents(self, policy, access_token)
        if _READ_EMAILS.isdisjoint(policy.scopes):
            return found
        return {**found, _EMAILS: f"{policy.userinfo_endpoint}/emails?per_page=100"}

    def display_name(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> object:
        """The name of the profile; those who gave none have only their login, which changes hands and is never a key."""
        return OAuth2Service.display_name(self, claims, policy) or claims.get("login")

    def address(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> tuple[object, bool]:
        """The primary address of the list, which says of each whether it is verified. The address of the profile is only for show."""
        listed: object = claims.get(_EMAILS)
        for one in cast("list[object]", listed) if isinstance(listed, list) else []:
            if isinstance(one, dict):
                entry = cast("Mapping[str, object]", one)
                if entry.get("primary") is True:
                    return entry.get("email"), entry.get("verified") is True
        return OAuth2Service.address(self, claims, policy)[0], False


GITHUB: Final = _GitHub(
    name="github",
    defaults={
        # what its responses carry as `iss` since 2026
        "issuer": "https://github.com/login/oauth",
        "label": "GitHub",
        "client_auth": "client_secret_post",
        "scopes": ("read:user", "user:email"),
        "authorization_endpoint": "https://github.com/login/oauth/authorize",
        "token_endpoint": "https://github.com/login/oauth/access_token",
        "userinfo_endpoint": "https://api.github.com/user",
    },
)
