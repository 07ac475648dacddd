"""Userinfo: claims about the person of an access token, for the app (OpenID Connect Core §5.3)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.keys import TokenSigner
from doorward.features.clients.directory import ClientDirectory
from doorward.features.oauth.tokens.access_tokens import AccessTokenReader
from doorward.features.oauth.userinfo import rules as rule
from doorward.features.revocations.view_service import ServerRevocationView
from doorward.storage.sql.store import Store


class UserinfoService(Struct, frozen=True, kw_only=True):
    """Checks signature, revocation view, grant and account on every call, so that the response is never outdated."""

    store: Store
    config: ConfigSource
    clients: ClientDirectory
    signer: TokenSigner
    tokens: AccessTokenReader
    clock: Clock
    view: ServerRevocationView
    issuer: str

    async def answer(self, token: str) -> dict[str, Any] | str | OAuthError:
        """The claims; as a signed JWT (text) for an app registered for it (§5.3.2); or the refusal."""
        now = self.clock.now()
        said = self.tokens.claims(token, now)
        if said is None or (await self.view.fresh(now)).revoked(said) is not None:
            because = (
                "no access token of ours"
                if said is None
                else f"the token of app {said['client_id']} is revoked"
            )
            return OAuthError("invalid_token", rule.INVALID, because)
        grant_id: str = said["jti"].partition(".")[0]
        meant = await self.clients.find(said["client_id"])
        answer = rule.answer(
            said,
            client=meant,
            grant=await self.store.grants.get(grant_id),
            account=await self.store.accounts.get(said["sub"]),
            config=self.config.current(),
        )
        if isinstance(answer, OAuthError):
            return answer if meant is None else answer.to(meant.name)
        client, claims = answer
        if client.userinfo_signed_alg is None:
            return claims
        return self.signer.sign(
            {**claims, "iss": self.issuer, "aud": client.id, "iat": now},
            typ="JWT",
            alg=client.userinfo_signed_alg,
        )
