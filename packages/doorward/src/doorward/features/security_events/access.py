"""Access to streams: an access token that an app got for itself, for the API of streams (SSF 1.0 §8.1, CAEP Interoperability Profile 1.0 §2.7)."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from doorward.core.model.client import Client
from doorward.core.ports.clock import Clock
from doorward.core.ports.keys import TokenSigner
from doorward.features.clients.directory import ClientDirectory
from doorward.features.oauth.tokens.rules import own_token
from doorward.features.revocations.view_service import ServerRevocationView
from doorward.features.security_events.problem import StreamRefused

READ: Final = "ssf.read"
MANAGE: Final = "ssf.manage"
PATH: Final = "/ssf"


def audience(issuer: str) -> str:
    """The identifier of the API of streams."""
    return f"{issuer}{PATH}"


class StreamAccess(Struct, frozen=True, kw_only=True):
    """Who asks. A token of a person gives no access: a stream belongs to the app, and tells of everybody who uses it."""

    clients: ClientDirectory
    signer: TokenSigner
    view: ServerRevocationView
    clock: Clock
    issuer: str

    async def app(self, token: str | None, *, manage: bool) -> Client:
        """The app. Raises `StreamRefused` (401, 403)."""
        now = self.clock.now()
        said = (
            own_token.claims(token, self.signer.keys(), issuer=self.issuer, now=now)
            if token is not None
            else None
        )
        if said is None or (await self.view.fresh(now)).revoked(said) is not None:
            raise StreamRefused(
                401, "invalid_token", "The access token is missing, invalid, expired or revoked."
            )
        audiences: object = said.get("aud")
        for_streams = audience(self.issuer) in (audiences if isinstance(audiences, list) else [audiences])
        app = await self.clients.find(said["client_id"])
        if app is None or said.get("sub") != app.id or not for_streams:
            raise StreamRefused(
                401,
                "invalid_token",
                f"Send an access token that the app got for itself (client_credentials) with resource={audience(self.issuer)}.",
            )
        scopes = str(said.get("scope", "")).split()
        if MANAGE not in scopes and (manage or READ not in scopes):
            wanted = MANAGE if manage else READ
            raise StreamRefused(403, "insufficient_scope", f"The access token lacks the scope {wanted}.")
        return app
