"""Requests of devices: their codes, their limits, and how a person's code finds one (RFC 8628 §3.1, §3.2, R34, R96)."""

from __future__ import annotations

from typing import Annotated, Final, final

from msgspec import Meta, Struct

from doorward.adapters.operator_notices import OperatorNotices
from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.device_authorization import DeviceAuthorization
from doorward.core.model.digest import digest
from doorward.core.model.grant import Grant
from doorward.core.model.request import NO_REDIRECT, AuthRequest
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.keys import Sealer
from doorward.core.ports.metrics import Metrics
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.clients.directory import ClientDirectory
from doorward.features.oauth.authorize.rules import openid
from doorward.features.oauth.client_auth.service import ClientAuthenticator
from doorward.features.oauth.clients.ignored_scopes import note_ignored
from doorward.features.oauth.clients.rules import scope
from doorward.features.oauth.grants.device_code.rules import limits, user_code
from doorward.features.oauth.grants.device_code.rules.polling import INTERVAL
from doorward.features.rate_limits.rules.attempts import Guessed, Wait
from doorward.features.rate_limits.rules.sign_in_starts import SignInRateLimiter
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:device_code"
CODE_PREFIX: Final = "dw_dc_"
TTL: Final = 600
"""Seconds for which a person may type the code."""
USER_CODE: Final = Guessed("user_code", short=False)
"""Guesses at the codes that devices show. Its name is part of stored counters and never changes."""
PURPOSE: Final = "device.user_code"
"""Purpose of the tag by which a user code is found, and of its seal. It is part of what is stored and never changes."""
LONGEST_ID: Final = 64
MOST_ACR: Final = 512
"""Characters of `acr_values`."""
_DRAWS: Final = 8


class DeviceAuthorizationResponse(Struct, frozen=True, kw_only=True):
    """The answer for the device (RFC 8628 §3.2); its fields are the wire's."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: Annotated[int, Meta(ge=0)]
    interval: Annotated[int, Meta(ge=0)]

    def __repr__(self) -> str:
        return "DeviceAuthorizationResponse(***)"


class DecidedRequest(Struct, frozen=True):
    """A request that somebody allowed or refused, and the grant that they gave, as it is now."""

    request: DeviceAuthorization
    grant: Grant | None


@final
class DeviceRequests(Struct, frozen=True, kw_only=True):
    """Begins requests for devices, and finds them for people."""

    clients: ClientAuthenticator
    store: Store
    config: ConfigSource
    directory: ClientDirectory
    random: SecureRandom
    sealer: Sealer
    limiter: SignInRateLimiter
    throttle: Throttle
    audit_log: AuditLog
    metrics: Metrics
    notices: OperatorNotices
    issuer: str

    async def begin(self, request: TokenRequest) -> DeviceAuthorizationResponse | OAuthError:
        """New codes for the app that authenticates, or the refusal. Raises `StoreUnavailable`."""
        client = await self.clients.authenticate(request)
        if isinstance(client, OAuthError):
            return client
        made = await self._begin(request, client)
        if isinstance(made, OAuthError):
            self.metrics.inc("device_requests", "refused")
            return made.to(client.name)
        self.metrics.inc("device_requests", "begun")
        return made

    async def find(
        self, typed: str, account: Account, *, caller: Caller, now: int
    ) -> DeviceAuthorization | Wait | None:
        """The request whose code somebody typed who is signed in as `account`; None for a code that no device has.

        Each try is counted before it is looked at, right ones too: anybody can get right codes, and could clear the counters with them.
        """
        guess = await self.throttle.guess(
            USER_CODE, account.id, account_id=account.id, caller=caller, now=now
        )
        if isinstance(guess, Wait):
            self.metrics.inc("user_codes", "throttled")
            return guess
        code = user_code.read(typed)
        found = None if code is None else await self.store.device_authorizations.by_user(self._tag(code))
        if found is not None:
            return found
        self.metrics.inc("user_codes", "wrong")
        event = self.audit_log.write(
            "user_code.wrong", caller=caller, now=now, account_id=account.id, ok=False
        )
        await self.store.commit(*self.throttle.missed(guess, now), event)
        return None

    async def decided(self, request_id: str) -> DecidedRequest | None:
        """A request that somebody decided, and what it gave; None for any other."""
        found = await self.store.device_authorizations.get(request_id[:LONGEST_ID])
        if found is None or found.account_id is None:
            return None
        granted = found.grant_id
        return DecidedRequest(found, None if granted is None else await self.store.grants.get(granted))

    def code_of(self, request: DeviceAuthorization) -> str:
        """The code as the device shows it."""
        return user_code.shown(self.sealer.open(PURPOSE, request.id, request.user_code).decode())

    async def asked(self, request: DeviceAuthorization) -> AuthRequest | None:
        """What a person is asked for the device, as the request of a sign-in; None if the app is no longer registered for it."""
        client = await self.app(request.client_id)
        if client is None:
            return None
        return AuthRequest(
            client_id=client.id,
            redirect_uri=f"{NO_REDIRECT}{request.id}",
            response_mode="query",
            scopes=request.scopes,
            audience=request.audience,
            max_age=client.default_max_age if request.max_age is None else request.max_age,
            acr_values=request.acr_values,
            redirect_uri_given=False,
        )

    async def app(self, client_id: str) -> Client | None:
        """The app as registered now, if it may use this grant."""
        client = await self.directory.find(client_id)
        return client if client is not None and GRANT_TYPE in client.grant_types else None

    async def _begin(self, request: TokenRequest, client: Client) -> DeviceAuthorizationResponse | OAuthError:
        form, now = request.form, request.now
        if GRANT_TYPE not in client.grant_types:
            return OAuthError(
                "unauthorized_client",
                "This app may not use the device authorization grant.",
                f"app {client.name!r} is registered for {', '.join(client.grant_types)}",
            )
        if (refused := self._limited(client, request.caller, now)) is not None:
            return refused
        config, asked = self.config.current(), form.get("scope")
        target = scope.target(
            config=config, client=client, issuer=self.issuer, scope=asked, resource=form.get("resource")
        )
        if isinstance(target, OAuthError):
            return target
        max_age = openid.max_age(form.get("max_age"))
        if isinstance(max_age, OAuthError):
            return max_age
        levels = form.get("acr_values", "")
        if len(levels) > MOST_ACR:
            return OAuthError("invalid_request", f"acr_values has more than {MOST_ACR} characters.")
        note_ignored(self.notices, config, client, asked)
        for _ in range(_DRAWS):
            device_code, code = f"{CODE_PREFIX}{self.random.token()}", user_code.draw(self.random.below)
            request_id = self.random.new_id("dva")
            row = DeviceAuthorization(
                id=request_id,
                device_hash=digest(device_code),
                user_tag=self._tag(code),
                user_code=self.sealer.seal(PURPOSE, request_id, code.encode()),
                client_id=client.id,
                scopes=target.scopes,
                audience=target.audience,
                acr_values=tuple(levels.split()),
                max_age=max_age,
                address=request.caller.address,
                user_agent=request.caller.user_agent,
                created_at=now,
                expires_at=now + TTL,
                interval=INTERVAL,
            )
            if await self.store.commit(self.store.device_authorizations.insert(row)):
                return self._answer(device_code, user_code.shown(code))
        return OAuthError(
            "temporarily_unavailable", "Please try again.", "every user code drawn was in use", now + 1
        )

    def _answer(self, device_code: str, code: str) -> DeviceAuthorizationResponse:
        page = f"{self.issuer}/device"
        return DeviceAuthorizationResponse(
            device_code=device_code,
            user_code=code,
            verification_uri=page,
            verification_uri_complete=f"{page}?user_code={code}",
            expires_in=TTL,
            interval=INTERVAL,
        )

    def _limited(self, client: Client, caller: Caller, now: int) -> OAuthError | None:
        counted = limits.counted(client.id, caller.address)
        ends = [self.limiter.full(one.who, now, parts=one.parts) for one in counted]
        until = max((end for end in ends if end is not None), default=None)
        if until is not None:
            return OAuthError(
                "temporarily_unavailable",
                "Too many devices were begun. Please try again later.",
                f"too many device requests of this app or from {caller.address}",
                until,
            )
        for one in counted:
            self.limiter.note(one.who, now)
        return None

    def _tag(self, code: str) -> str:
        return self.sealer.tag(PURPOSE, code)
