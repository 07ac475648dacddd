"""Device authorization grant at the token endpoint: tokens for a device, once a person allowed it (RFC 8628 §3.4, R35)."""

from __future__ import annotations

from typing import Final, assert_never, final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.device_authorization import DeviceAuthorization
from doorward.core.model.digest import digest
from doorward.core.model.grant import Grant
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.metrics import Metrics
from doorward.features.oauth.clients.rules.resource import same
from doorward.features.oauth.grants.device_code.rules import polling
from doorward.features.oauth.grants.device_code.rules import redeem as rule
from doorward.features.oauth.grants.device_code.rules.polling import PollTimes
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.redemption import GrantRedemption
from doorward.storage.sql.store import Store

LONGEST: Final = 200
"""Characters of a device code that are looked at; ours are shorter."""


@final
class DeviceCodeGrant(Struct, frozen=True, kw_only=True):
    """A poll costs one read. It writes when it came too early, and when it redeems."""

    store: Store
    redemption: GrantRedemption
    metrics: Metrics
    times: PollTimes

    async def exchange(self, request: TokenRequest, client: Client) -> TokenResponse | OAuthError:
        """The tokens of the grant that the person gave, or why there are none yet."""
        raw = request.form.get("device_code")
        if not raw:
            return OAuthError("invalid_request", "device_code is missing.")
        if len(raw) > LONGEST:
            return OAuthError("invalid_grant", rule.BAD, "not a device code")
        # A second round can only find that a concurrent request redeemed the code.
        for _ in range(2):
            found = await self.store.device_authorizations.by_device(digest(raw))
            granted = found.grant_id if found is not None else None
            grant = await self.store.grants.get(granted) if granted is not None else None
            if grant is not None and grant.ended_at is not None:
                # Between the two reads others may have redeemed the code, and so have ended the grant: then the row says it now.
                found = await self.store.device_authorizations.by_device(digest(raw))
            verdict = rule.check(found, grant, client, now=request.now)
            match verdict:
                case OAuthError():
                    return verdict
                case rule.DevicePending(waiting):
                    return await self._pending(waiting, request.now)
                case rule.DeviceRedeemed(grant=grant):
                    return await self._reused(grant, request)
                case rule.DeviceAllowed(approved, grant):
                    answer = await self._redeem(approved, grant, request, client)
                    if answer is not None:
                        return answer
                case _:
                    assert_never(verdict)
        return OAuthError("invalid_grant", rule.BAD, "the device code was redeemed at the same time")

    async def _pending(self, waiting: DeviceAuthorization, now: int) -> OAuthError:
        """The pace is checked only while there is nothing to fetch: a device that asks early gets its tokens all the same."""
        interval = waiting.interval
        if self.times.poll(waiting.id, interval=interval, slowed_at=waiting.slowed_at, now=now):
            return rule.PENDING
        self.metrics.inc("device_polls", "too_early")
        if (slower := polling.slower(interval)) > interval:
            await self.store.commit(self.store.device_authorizations.slow(waiting, slower, now))
        return rule.SLOW_DOWN

    async def _redeem(
        self, approved: DeviceAuthorization, grant: Grant, request: TokenRequest, client: Client
    ) -> TokenResponse | OAuthError | None:
        """None when the compare-and-swap lost."""
        resource = request.form.get("resource")
        if resource is not None and not same(resource, grant.audience):
            return OAuthError("invalid_target", "The device code is for another resource.")
        account = await self.store.accounts.get(grant.account_id)
        if account is None or account.disabled_at is not None:
            return OAuthError("access_denied", "The sign-in has ended.", "the account is gone or disabled")
        answer = await self.redemption.redeem(
            grant,
            account,
            client,
            request,
            spend=self.store.device_authorizations.redeem(approved.id, request.now),
            event="device_code.redeemed",
        )
        if answer is not None:
            self.times.forget(approved.id)
        return answer

    async def _reused(self, grant: Grant | None, request: TokenRequest) -> OAuthError:
        if grant is not None:
            await self.redemption.reused(grant, request, event="device_code.reused")
        return OAuthError(
            "invalid_grant", rule.BAD, "the device code was redeemed before; what it gave has ended"
        )
