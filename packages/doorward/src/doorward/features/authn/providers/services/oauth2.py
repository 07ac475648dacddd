"""Services that speak OAuth 2.0 alone: who signed in is read from their API (RFC 6749, RFC 7636). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from doorward.features.authn.providers.services.service import ProviderService

if TYPE_CHECKING:
    from doorward.features.authn.providers.settings import ProviderPolicy


class OAuth2Service(ProviderService, frozen=True, kw_only=True):
    """A service without ID tokens. The claims of its hooks are the document of `userinfo_endpoint`, and `issuer` is a fixed value of the
    settings: nothing is fetched from it, and connections belong to it. `asks_deletion`: it posts requests to delete what is held of a
    person."""

    asks_deletion: bool = False
    protocol: Literal["openid", "oauth2"] = "oauth2"

    def translated(self, asked: Mapping[str, str]) -> Mapping[str, str]:
        """What a sign-in asks for, as OpenID Connect names it, in the parameters of this service; {} where it has none of them."""
        del asked
        return {}

    def documents(self, policy: ProviderPolicy, access_token: str) -> Mapping[str, str]:
        """The URLs to fetch with the access token. The document of "" is that of the person; each other one is added to it as a member
        of its name, null if the service refuses it."""
        del access_token
        return {"": policy.userinfo_endpoint}

    def deletion_subject(self, request: str, policy: ProviderPolicy, now: int) -> str | None:
        """The subject of a request for deletion; None if the service did not make it, or not lately."""
        del request, policy, now
        return None

    def issuer(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> str | None:
        """That of the settings: the document was fetched from this service itself."""
        del claims
        return policy.issuer

    def subject(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> object:
        """The member that the settings name. Many services number their people."""
        found = member(claims, policy.subject_member)
        return str(found) if isinstance(found, int) and not isinstance(found, bool) else found

    def display_name(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> object:
        """The member that the settings name."""
        return member(claims, policy.name_member)

    def address(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> tuple[object, bool]:
        """The members that the settings name. Without one that says so, no address is confirmed."""
        return member(claims, policy.email_member), member(claims, policy.email_verified_member) is True


def member(document: Mapping[str, Any], path: str) -> object:
    """The value at a path like `data.user.id`; None if there is none."""
    found: object = document
    for name in path.split("."):
        found = cast("Mapping[str, object]", found).get(name) if isinstance(found, Mapping) else None
    return found


OAUTH2: Final = OAuth2Service(name="oauth2", defaults={"scopes": ()})
