"""Authorization code grant: tokens in exchange for a code, once (OAuth 2.1 §4.1.3, R15, R16)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from doorward.core.errors import OAuthError, StoreUnavailable
from doorward.core.model.client import Client
from doorward.core.model.digest import digest
from doorward.core.model.grant import Grant, RefreshToken
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.oauth.clients.rules.resource import same
from doorward.features.oauth.grants.authorization_code import rules as rule
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.issue import TokenIssuer
from doorward.features.oauth.tokens.rules import refresh_format as refresh_text
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store, Write

GONE = "The authorization code is invalid or has expired."


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCodeGrant:
    """Redeems by compare-and-swap; a second redemption is a reuse, and ends the tokens of the first."""

    store: Store
    revoker: Revoker
    tokens: TokenIssuer
    random: SecureRandom
    audit_log: AuditLog

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
        now = request.now
        resource = request.form.get("resource")
        if resource is not None and not same(resource, grant.audience):
            return OAuthError("invalid_target", "The code is for another resource.")
        account = await self.store.accounts.get(grant.account_id)
        if account is None or account.disabled_at is not None:
            return OAuthError("invalid_grant", GONE, "the account is gone or disabled")
        writes: list[Write] = [self.store.grants.redeem_code(code_hash, now)]
        refresh = None
        if "refresh_token" in client.grant_types:
            refresh = refresh_text.first(
                grant.id,
                self.random.token(refresh_text.FAMILY_BYTES),
                self.random.token(refresh_text.SECRET_BYTES),
            )
            writes.append(
                self.store.grants.insert_refresh(
                    RefreshToken(
                        grant_id=grant.id,
                        family_hash=refresh_text.family_hash(refresh),
                        generation=1,
                        hash=digest(refresh),
                        created_at=now,
                        expires_at=grant.expires_at,
                    )
                )
            )
        answer = self.tokens.for_person(
            grant, account, client, scopes=grant.scopes, refresh_token=refresh, first=True, now=now
        )
        writes.append(self.audit_log.of_grant("code.redeemed", grant, caller=request.caller, now=now))
        try:
            return answer if await self.store.commit(*writes) else None
        except StoreUnavailable:
            # The connection may have broken after the commit. A retry by the app would then be a second redemption and end the grant,
            # so the commit is verified here by the refresh token, which no other request could have written.
            if refresh is None or not await self._written(grant, refresh):
                raise
            return answer

    async def _written(self, grant: Grant, refresh: str) -> bool:
        found = await self.store.grants.refresh(grant.id)
        return found is not None and found[0].hash == digest(refresh)

    async def _reused(self, grant: Grant, request: TokenRequest) -> OAuthError:
        if grant.ended_at is None:
            await self.store.commit(
                *self.revoker.grant(grant, now=request.now, reason="code_reused", first=True),
                self.audit_log.of_grant(
                    "code.reused", grant, caller=request.caller, now=request.now, ok=False
                ),
            )
        return OAuthError(
            "invalid_grant", GONE, f"the code of grant {grant.id} was used before; the grant has ended"
        )
