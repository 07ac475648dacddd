"""Authorization code grant: tokens in exchange for a code, once (OAuth 2.1 §4.1.3, R15, R16)."""

from __future__ import annotations

from typing import assert_never

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.digest import digest
from doorward.core.model.grant import Grant
from doorward.core.model.token_request import TokenRequest
from doorward.features.oauth.clients.rules.resource import same
from doorward.features.oauth.grants.authorization_code import rules as rule
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.redemption import GrantRedemption
from doorward.storage.sql.store import Store

GONE = "The authorization code is invalid or has expired."


class AuthorizationCodeGrant(Struct, frozen=True, kw_only=True):
    """Redeems a code once; a second redemption is a reuse, and ends the tokens of the first."""

    store: Store
    redemption: GrantRedemption

    async def exchange(self, request: TokenRequest, client: Client) -> TokenResponse | OAuthError:
        """The tokens of the code's grant, or the refusal."""
        raw = request.form.get("code")
        if not raw:
            return OAuthError("invalid_request", "code is missing.")
        code_hash = digest(raw)
        # A second round can only find that a concurrent request redeemed the code.
        for _ in range(2):
            code = await self.store.grants.code(code_hash)
            grant = await self.store.grants.get(code.grant_id) if code else None
            verdict = rule.check(code, grant, client, request.form, now=request.now)
            match verdict:
                case OAuthError():
                    return verdict
                case rule.Reused(grant):
                    return await self._reused(grant, request)
                case rule.Redeem(grant):
                    answer = await self._redeem(code_hash, grant, request, client)
                    if answer is not None:
                        return answer
                case _:
                    assert_never(verdict)
        return OAuthError("invalid_grant", GONE, "the code was redeemed at the same time")

    async def _redeem(
        self, code_hash: bytes, grant: Grant, request: TokenRequest, client: Client
    ) -> TokenResponse | OAuthError | None:
        """None when the compare-and-swap lost."""
        resource = request.form.get("resource")
        if resource is not None and not same(resource, grant.audience):
            return OAuthError("invalid_target", "The code is for another resource.")
        account = await self.store.accounts.get(grant.account_id)
        if account is None or account.disabled_at is not None:
            return OAuthError("invalid_grant", GONE, "the account is gone or disabled")
        spend = self.store.grants.redeem_code(code_hash, request.now)
        return await self.redemption.redeem(
            grant, account, client, request, spend=spend, event="code.redeemed"
        )

    async def _reused(self, grant: Grant, request: TokenRequest) -> OAuthError:
        await self.redemption.reused(grant, request, event="code.reused")
        return OAuthError(
            "invalid_grant", GONE, f"the code of grant {grant.id} was used before; the grant has ended"
        )
