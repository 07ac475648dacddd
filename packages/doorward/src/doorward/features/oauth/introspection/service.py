"""Token introspection: the current state of a token, for an app or an API (RFC 7662 §2)."""

from __future__ import annotations

from typing import Any, assert_never

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.metrics import Metrics
from doorward.features.api_keys.rules import key_format
from doorward.features.api_keys.verification import ApiKeyVerification
from doorward.features.oauth.client_auth.service import ClientAuthenticator
from doorward.features.oauth.grants.refresh_token.rules import rotation
from doorward.features.oauth.grants.refresh_token.rules.rotation import (
    Keep,
    LateRepeat,
    Repeat,
    Replayed,
    Rotate,
)
from doorward.features.oauth.introspection import rules as rule
from doorward.features.oauth.tokens.access_tokens import AccessTokenReader
from doorward.features.oauth.tokens.rules import refresh_format as refresh_text
from doorward.features.revocations.view_service import ServerRevocationView
from doorward.features.risk.family_watch import FamilyWatch
from doorward.storage.sql.store import Store


class IntrospectionService(Struct, frozen=True, kw_only=True):
    """Answers only authenticated callers, and only about tokens that concern them."""

    clients: ClientAuthenticator
    keys: ApiKeyVerification
    metrics: Metrics
    store: Store
    config: ConfigSource
    tokens: AccessTokenReader
    view: ServerRevocationView
    policy: TokenPolicy
    issuer: str
    watch: FamilyWatch

    async def introspect(self, request: TokenRequest) -> dict[str, Any] | OAuthError:
        """The members of the response; `{"active": false}` for every token that is invalid, or that the caller may not see."""
        asker = await self.clients.authenticate(request)
        if isinstance(asker, OAuthError):
            return asker
        if not asker.confidential:
            # R56: without a credential anybody could scan for tokens.
            return OAuthError(
                "invalid_client",
                "Introspection needs client authentication.",
                f"{asker.name} is public",
                app=asker.name,
                fix="doorward app create NAME --kind service, and ask as that",
            )
        token = request.form.get("token")
        if not token:
            return OAuthError("invalid_request", "token is missing.").to(asker.name)
        # token_type_hint only says where to look first (§2.1); the format of the token does so as well.
        if token.startswith(refresh_text.PREFIX):
            return await self._refresh(token, asker, request.now)
        if token.startswith(key_format.PREFIX):
            return await self._api_key(token, asker, request)
        return await self._access(token, asker, request)

    async def _api_key(self, token: str, asker: Client, request: TokenRequest) -> dict[str, Any]:
        """The answer about an API key, to an app that introspects for its API. That API says where the key was used (`caller_address`);
        a key that works only from some networks is inactive without it."""
        config = self.config.current()
        verified = await self.keys.verify(
            token,
            address=request.form.get("caller_address", ""),
            caller=request.caller,
            audiences=rule.introspected(asker, config),
            now=request.now,
        )
        if isinstance(verified, OAuthError):
            self.metrics.inc("refusals", verified.code)
            return rule.INACTIVE
        return rule.of_api_key(verified, issuer=self.issuer)

    async def _access(self, token: str, asker: Client, request: TokenRequest) -> dict[str, Any]:
        """The answer about an access token. Its API may say where it was used (`caller_address`): then its grant is watched for two networks
        at once. The token's own app is not believed: it could have its person asked, or end the grant, with two made-up addresses."""
        now = request.now
        claims = self.tokens.claims(token, now)
        if claims is None or not rule.may_see(claims, asker, self.config.current()):
            return rule.INACTIVE
        if (await self.view.fresh(now)).revoked(claims) is not None:
            return rule.INACTIVE
        address = request.form.get("caller_address")
        if address is not None and claims["client_id"] != asker.id:
            self.watch.note(str(claims["jti"]).partition(".")[0], address, now)
        return rule.of_access(claims)

    async def _refresh(self, token: str, asker: Client, now: int) -> dict[str, Any]:
        presented = refresh_text.read(token)
        found = None if presented is None else await self.store.grants.refresh_of_person(presented.grant_id)
        if presented is None or found is None:
            return rule.INACTIVE
        held, grant, account = found
        if account is None or account.disabled_at is not None:
            return rule.INACTIVE
        # the verdict of a refresh, without its writes
        verdict = rotation.decide(presented, held, grant, client=asker, policy=self.policy, now=now)
        match verdict:
            case Rotate() | Keep():
                return rule.of_refresh(held, grant, answered=True, newest=True)
            case Repeat() | LateRepeat():
                return rule.of_refresh(held, grant, answered=True, newest=False)
            case Replayed() | OAuthError():
                return rule.of_refresh(held, grant, answered=False, newest=False)
            case _:
                assert_never(verdict)
