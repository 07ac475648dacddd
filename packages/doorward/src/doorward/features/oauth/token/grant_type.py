"""Grant type: the registration of a grant at the token endpoint (OAuth 2.1 §4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

if TYPE_CHECKING:
    from doorward.core.errors import OAuthError
    from doorward.core.model.client import Client
    from doorward.core.model.token_request import TokenRequest
    from doorward.features.oauth.token.rules import TokenResponse
    from doorward.features.services import Services


class TokenGrant(Protocol):
    """The service of a grant, called after the app was authenticated and found to be allowed this grant."""

    async def exchange(self, request: TokenRequest, client: Client) -> TokenResponse | OAuthError:
        """The tokens, or the refusal. Raises `StoreUnavailable`."""
        ...


class LoneGrant(Protocol):
    """The service of a grant whose own credential says who asks. `client` is the app that authenticated beside it; None if none did."""

    async def exchange(self, request: TokenRequest, client: Client | None) -> TokenResponse | OAuthError:
        """The tokens, or the refusal. Raises `StoreUnavailable`."""
        ...


class GrantType(Struct, frozen=True, kw_only=True):
    """One value of `grant_type`. `parameters` are the form parameters that it reads, besides those of client authentication;
    `endpoints` are the paths of further endpoints that it needs, by their name in the metadata; `profiles` are those of the grant that
    clients can look for there (`authorization_grant_profiles_supported`), and `chaining` the types of tokens that it issues for other
    servers (`identity_chaining_requested_token_types_supported`).

    A grant with `build_alone` instead of `build` asks for no app: none is registered for it. With both a request need not name an app,
    and one that is named is registered for it.
    """

    name: str
    parameters: tuple[str, ...]
    build: Callable[[Services], TokenGrant] | None = None
    build_alone: Callable[[Services], LoneGrant] | None = None
    endpoints: Mapping[str, str] = field(default_factory=dict[str, str])
    profiles: tuple[str, ...] = ()
    chaining: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.build is None and self.build_alone is None:
            raise ValueError(f"{self.name}: build, build_alone or both")


def distinct(grant_types: Sequence[GrantType]) -> Sequence[GrantType]:
    """The same grant types. Raises ValueError for a duplicate name, since one would silently replace the other."""
    names = [grant_type.name for grant_type in grant_types]
    if len(set(names)) < len(names):
        raise ValueError(f"two grant types have one name: {', '.join(names)}")
    return grant_types
