"""Client authentication method: what the server needs to know of each one (OAuth 2.1 §2.4)."""

from __future__ import annotations

from typing import ClassVar, Protocol

from msgspec import Struct

from doorward.core.errors import Refusal
from doorward.core.model.client import Client
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.secret import Secret
from doorward.core.model.token_request import TokenRequest


class Presented(Struct, frozen=True):
    """A client's credential, read and not yet verified. `secret` or `assertion` is set as `method`, the name of a `ClientAuth`, says."""

    method: str
    client_id: str
    secret: Secret | None = None
    assertion: Secret | None = None


class SingleUse(Struct, frozen=True):
    """A credential that holds, if nobody has used it before: `id` must be remembered until `remember_until` (seconds)."""

    id: str
    remember_until: int


class ClientAuth(Protocol):
    """One method. A request carries its credential in an Authorization header of its `scheme`, or in the form parameters of
    `credentials`; a method with neither is tried when no credential was found. Two methods' credentials in one request are refused
    (RFC 6749 §2.3)."""

    name: ClassVar[str]
    """In the metadata, and in an app's registration (`token_endpoint_auth_method`, RFC 7591 §2)."""
    scheme: ClassVar[str | None]
    """Of the Authorization header, in lower case."""
    credentials: ClassVar[tuple[str, ...]]
    """Form parameters."""
    algorithms: ClassVar[tuple[str, ...]]
    """What its assertions may be signed with, for the metadata."""

    def read(self, request: TokenRequest) -> Presented | Refusal | None:
        """The credential of a request, not yet verified; None when the request carries none of this method."""
        ...

    def verify(
        self, presented: Presented, client: Client, request: TokenRequest, *, issuer: str, policy: TokenPolicy
    ) -> SingleUse | Refusal | None:
        """None when `client` presented this; what has to be remembered, when the credential works once."""
        ...
