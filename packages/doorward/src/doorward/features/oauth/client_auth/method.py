"""Port of a client authentication method (OAuth 2.1 §2.4)."""

from __future__ import annotations

from typing import ClassVar, Final, Protocol

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.secret import Secret
from doorward.core.model.token_request import TokenRequest

# texts that reveal nothing about an app
FAILED: Final = "Client authentication failed."
MISSING: Final = "Client authentication is missing."
ONE_WAY: Final = "Use one way of client authentication only."
MAX_TEXT: Final = 512
"""Maximum number of characters of an id or a secret."""


class Presented(Struct, frozen=True):
    """A client's credential, not verified yet. `method`, the name of a `ClientAuth`, determines whether `secret` or `assertion` is set."""

    method: str
    client_id: str
    secret: Secret | None = None
    assertion: Secret | None = None


class SingleUse(Struct, frozen=True):
    """A credential that is valid if it was not used before: `id` must be remembered until `remember_until` (seconds)."""

    id: str
    remember_until: int


class ClientAuth(Protocol):
    """One method. A request carries its credential in an Authorization header of its `scheme`, or in the form parameters of
    `credentials`; a method with neither is tried when no credential was found. Credentials of two methods in one request are refused
    (RFC 6749 §2.3)."""

    name: ClassVar[str]
    """The name in the metadata, and in an app's registration (`token_endpoint_auth_method`, RFC 7591 §2)."""
    scheme: ClassVar[str | None]
    """The scheme of the Authorization header, in lower case."""
    credentials: ClassVar[tuple[str, ...]]
    """The form parameters of the credential."""
    algorithms: ClassVar[tuple[str, ...]]
    """The signing algorithms of its assertions, for the metadata."""

    def read(self, request: TokenRequest) -> Presented | OAuthError | None:
        """The unverified credential of a request; None when the request has none of this method."""
        ...

    def verify(
        self, presented: Presented, client: Client, request: TokenRequest, *, issuer: str, policy: TokenPolicy
    ) -> SingleUse | OAuthError | None:
        """None when the credential is the client's; `SingleUse` when it is valid only once."""
        ...
