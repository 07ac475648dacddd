"""Public app without a credential, secured by PKCE and its redirect URI (OAuth 2.1 §2.4, §7.8)."""

from __future__ import annotations

from typing import ClassVar, final

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.token_request import TokenRequest
from doorward.features.oauth.client_auth.method import FAILED, MAX_TEXT, Presented


@final
class PublicClient:
    """A request that names its app and has no credential."""

    __slots__ = ()
    name: ClassVar[str] = "none"
    scheme: ClassVar[str | None] = None
    credentials: ClassVar[tuple[str, ...]] = ()
    algorithms: ClassVar[tuple[str, ...]] = ()

    def read(self, request: TokenRequest) -> Presented | OAuthError | None:
        """The client id."""
        client_id = request.form.get("client_id")
        if not client_id:
            return None
        if len(client_id) > MAX_TEXT:
            return OAuthError("invalid_client", FAILED, "an oversized client_id")
        return Presented("none", client_id)

    def verify(
        self, presented: Presented, client: Client, request: TokenRequest, *, issuer: str, policy: TokenPolicy
    ) -> OAuthError | None:
        """None for a public app without a credential. An app that has one is refused without it."""
        del request, issuer, policy
        if client.secrets or client.jwks or presented.secret is not None or presented.assertion is not None:
            return OAuthError(
                "invalid_client", FAILED, f"app {client.name!r} is public but a credential is involved"
            )
        return None
