"""Goal of a sign-in that a device started: the person's decision, stored for the device (RFC 8628 §3.3, R34)."""

from __future__ import annotations

from typing import final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.device_authorization import DeviceAuthorization
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Session
from doorward.core.model.signin import SignIn
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.metrics import Metrics
from doorward.features.audit.service import AuditLog
from doorward.features.authn.flow.goal import Reached
from doorward.features.authn.flow.outcomes import AskConsent, AuthorizationError
from doorward.features.authn.flow.rules.assurance import Achieved
from doorward.features.oauth.clients.rules.entitle import Granted, entitle
from doorward.features.oauth.grants.device_code.requests import DeviceRequests
from doorward.features.oauth.tokens.new_grants import NewGrants
from doorward.storage.sql.store import Store, Write

GONE = OAuthError("unauthorized_client", "This app is no longer registered here.")
OVER = OAuthError("expired_token", "The code has expired.")
DECIDED = OAuthError("invalid_grant", "The code was used before.")


@final
class DeviceGoals(Struct, frozen=True, kw_only=True):
    """Goals of sign-ins with a device's request. The person is always asked: nothing but their look at the device tells a stranger's
    request from their own, so that neither an earlier consent nor an app of the operator's own is enough (RFC 8628 §5.4)."""

    requests: DeviceRequests
    store: Store
    config: ConfigSource
    clock: Clock
    audit_log: AuditLog
    metrics: Metrics
    new_grants: NewGrants

    async def permit(
        self, sign_in: SignIn, account: Account, achieved: Achieved
    ) -> DeviceGoal | AskConsent | AuthorizationError | None:
        """Check that the device still waits, then ask."""
        request = sign_in.request
        if request is None or request.device is None:
            return None
        waiting = await self.store.device_authorizations.get(request.device)
        client = await self.requests.app(request.client_id)
        if client is None:
            return await self.deny(sign_in, GONE)
        state = None if waiting is None else waiting.state(self.clock.now())
        if waiting is None or state == "expired":
            return await self.deny(sign_in, OVER)
        if state != "pending":
            return await self.deny(sign_in, DECIDED)
        granted = entitle(
            config=self.config.current(),
            client=client,
            audience=request.audience,
            scopes=request.scopes,
            role_names=account.role_names,
        )
        if not sign_in.consented:
            return AskConsent(sign_in, account, client, request, granted.scopes, device=waiting)
        return DeviceGoal(goals=self, request=request, waiting=waiting, client=client, granted=granted)

    async def deny(self, sign_in: SignIn, error: OAuthError) -> AuthorizationError:
        """A refusal, for a page: the device hears of nothing but the person's decision, and may still get it."""
        return AuthorizationError(sign_in, error, None)

    def declined(self, sign_in: SignIn, account: Account, *, caller: Caller, now: int) -> tuple[Write, ...]:
        """The person's refusal, for the device's next poll. It loses if somebody decided in the meantime."""
        request = sign_in.request
        if request is None or request.device is None:
            return ()
        self.metrics.inc("device_requests", "denied")
        return (
            self.store.device_authorizations.deny(request.device, account_id=account.id, at=now),
            self.audit_log.write(
                "device_code.denied",
                caller=caller,
                now=now,
                account_id=account.id,
                client_id=request.client_id,
                ok=False,
                request=request.device,
            ),
        )


@final
class DeviceGoal(Struct, frozen=True, kw_only=True):
    """The request of a device, and what is granted of it."""

    goals: DeviceGoals
    request: AuthRequest
    waiting: DeviceAuthorization
    client: Client
    granted: Granted

    @property
    def app_name(self) -> str:
        """The app's name as shown to people."""
        return self.client.name

    async def reach(
        self, sign_in: SignIn, session: Session, achieved: Achieved, *, caller: Caller, now: int
    ) -> Reached:
        """The grant, and the decision, which loses if there was one before. The device fetches its tokens itself."""
        of, waiting = self.goals, self.waiting
        grant = of.new_grants.make(
            self.request, self.client, self.granted.scopes, session=session, achieved=achieved, now=now
        )
        of.metrics.inc("device_requests", "approved")
        event = of.audit_log.write(
            "device_code.approved",
            caller=caller,
            now=now,
            account_id=grant.account_id,
            session_id=grant.session_id,
            client_id=grant.client_id,
            grant_id=grant.id,
            request=waiting.id,
            device_address=waiting.address,
            device_user_agent=waiting.user_agent,
        )
        approve = of.store.device_authorizations.approve(
            waiting.id, account_id=grant.account_id, grant_id=grant.id, at=now
        )
        return Reached((approve, *of.new_grants.insert(grant, session), event))
