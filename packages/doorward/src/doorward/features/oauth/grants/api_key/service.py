"""API key grant: an access token of minutes for an API key, so that APIs verify locally and hear of its end by the feed."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.token_request import TokenRequest
from doorward.features.api_keys.verification import ApiKeyVerification
from doorward.features.oauth.grants.api_key import rules
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.issue import TokenIssuer


class ApiKeyGrant(Struct, frozen=True, kw_only=True):
    """Reads the key at every exchange, so that its end, its owner and the owner's rights count as they are now. Writes nothing."""

    keys: ApiKeyVerification
    tokens: TokenIssuer
    ttl: int

    async def exchange(self, request: TokenRequest, client: Client | None) -> TokenResponse | OAuthError:
        """An access token for the API of the key. The API itself (`client`) may say from which `caller_address` its caller came."""
        form, now = request.form, request.now
        text = form.get("api_key")
        if not text:
            return OAuthError("invalid_request", "api_key is missing.")
        if client is None and "caller_address" in form:
            return OAuthError("invalid_request", "caller_address needs client authentication of the API.")
        audiences = rules.audiences(client, form.get("resource"), self.tokens.config.current())
        if isinstance(audiences, OAuthError):
            return audiences
        verified = await self.keys.verify(
            text,
            address=form.get("caller_address", request.caller.address),
            caller=request.caller,
            audiences=audiences,
            now=now,
        )
        if isinstance(verified, OAuthError):
            return verified
        allowed = rules.narrowed(verified.allowed, form.get("scope"))
        if isinstance(allowed, OAuthError):
            return allowed
        return self.tokens.derived(
            rules.entitlement(verified.key, allowed),
            verified.client,
            until=min(verified.until, now + self.ttl),
            now=now,
        )
