"""Redemption of a grant: its first tokens, for a code that works once (OAuth 2.1 §4.1.3, RFC 8628 §3.4, R15, R35)."""

from __future__ import annotations

from typing import final

from msgspec import Struct

from doorward.core.errors import StoreUnavailable
from doorward.core.model.account import Account
from doorward.core.model.client import Client
from doorward.core.model.digest import digest
from doorward.core.model.grant import Grant, RefreshToken
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.issue import TokenIssuer
from doorward.features.oauth.tokens.rules import refresh_format as refresh_text
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store, Write


@final
class GrantRedemption(Struct, frozen=True, kw_only=True):
    """Redeems by compare-and-swap; a second redemption is a reuse, and ends the tokens of the first."""

    store: Store
    revoker: Revoker
    tokens: TokenIssuer
    random: SecureRandom
    audit_log: AuditLog

    async def redeem(
        self,
        grant: Grant,
        account: Account,
        client: Client,
        request: TokenRequest,
        *,
        spend: Write,
        event: str,
    ) -> TokenResponse | None:
        """The first tokens of the grant. `spend` marks its code as redeemed, guarded; `event` is that of the audit log. None when the
        compare-and-swap lost. Raises `StoreUnavailable`."""
        now = request.now
        writes: list[Write] = [spend]
        refresh = None
        if "refresh_token" in client.grant_types:
            refresh = refresh_text.first(
                grant.id,
                self.random.token(refresh_text.FAMILY_BYTES),
                self.random.token(refresh_text.SECRET_BYTES),
            )
            first = RefreshToken(
                grant_id=grant.id,
                family_hash=refresh_text.family_hash(refresh),
                generation=1,
                hash=digest(refresh),
                created_at=now,
                expires_at=grant.expires_at,
            )
            writes.append(self.store.grants.insert_refresh(first))
        answer = self.tokens.for_person(
            grant, account, client, scopes=grant.scopes, refresh_token=refresh, first=True, now=now
        )
        writes.append(self.audit_log.of_grant(event, grant, caller=request.caller, now=now))
        try:
            return answer if await self.store.commit(*writes) else None
        except StoreUnavailable:
            # The connection may have broken after the commit. A retry by the app would then be a second redemption and end the grant,
            # so the commit is verified here by the refresh token, which no other request could have written.
            if refresh is None or not await self._written(grant, refresh):
                raise
            return answer

    async def reused(self, grant: Grant, request: TokenRequest, *, event: str) -> None:
        """End the grant of a code that was redeemed before: two hold it. Raises `StoreUnavailable`."""
        if grant.ended_at is None:
            await self.store.commit(
                *self.revoker.grant(grant, now=request.now, reason="code_reused", first=True),
                self.audit_log.of_grant(event, grant, caller=request.caller, now=request.now, ok=False),
            )

    async def _written(self, grant: Grant, refresh: str) -> bool:
        found = await self.store.grants.refresh(grant.id)
        return found is not None and found[0].hash == digest(refresh)
