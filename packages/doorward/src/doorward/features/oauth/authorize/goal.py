"""Goal of a sign-in that an app started: permission, then the grant with its code."""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.digest import digest
from doorward.core.model.grant import AuthorizationCode, Grant
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Session
from doorward.core.model.signin import SignIn
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.flow.goal import Reached
from doorward.features.authn.flow.outcomes import AskConsent, AuthorizationError
from doorward.features.authn.flow.rules.assurance import Achieved
from doorward.features.clients.directory import ClientDirectory
from doorward.features.oauth.authorize.rules.response import failure, success
from doorward.features.oauth.clients.rules.entitle import Granted, entitle
from doorward.features.oauth.clients.rules.redirect_uri import matches, shown_first
from doorward.features.oauth.consent import rules as consent_rule
from doorward.features.oauth.tokens.new_grants import NewGrants
from doorward.features.oauth.tokens.rules.person import scopes_behind
from doorward.storage.sql.store import Store, Write

CODE_PREFIX: Final = "dw_ac_"


@final
class AuthorizationGoals(Struct, frozen=True, kw_only=True):
    """Goals of sign-ins with an authorization request."""

    store: Store
    config: ConfigSource
    clients: ClientDirectory
    random: SecureRandom
    audit_log: AuditLog
    new_grants: NewGrants
    tokens: TokenPolicy
    issuer: str

    async def permit(
        self, sign_in: SignIn, account: Account, achieved: Achieved
    ) -> AuthorizationGoal | AskConsent | AuthorizationError | None:
        """Check the app's expectations of person and level, then consent."""
        request = sign_in.request
        if request is None:
            return None
        config = self.config.current()
        client = await self._app(request)
        if client is None:
            return AuthorizationError(
                sign_in, OAuthError("unauthorized_client", "This app is no longer registered here."), None
            )
        if request.hint_subject is not None and request.hint_subject != account.id:
            return await self.deny(
                sign_in, OAuthError("login_required", "Another person than the expected one signed in.")
            )
        if request.acr_essential and achieved.levels.isdisjoint(request.acr_values):
            say = "The required strength of sign-in cannot be reached."
            return await self.deny(sign_in, OAuthError("unmet_authentication_requirements", say))
        granted = entitle(
            config=config,
            client=client,
            audience=request.audience,
            scopes=request.scopes,
            role_names=account.role_names,
        )
        if not sign_in.consented:
            earlier = await self.store.sessions.consent(account.id, client.id, request.audience)
            behind = scopes_behind(client, request.claims) if "openid" in granted.scopes else ()
            by_name = tuple(name for name in behind if name not in granted.scopes)
            nothing = consent_rule.empty_handed(request, granted.scopes, config.apis.get(request.audience))
            if consent_rule.needed(client, request, (*granted.scopes, *by_name), earlier, nothing=nothing):
                if "none" in request.prompt:
                    return await self.deny(
                        sign_in, OAuthError("consent_required", "The person has to agree first.")
                    )
                return AskConsent(sign_in, account, client, request, granted.scopes, by_name)
        return AuthorizationGoal(goals=self, request=request, client=client, granted=granted)

    async def deny(self, sign_in: SignIn, error: OAuthError) -> AuthorizationError:
        """The refusal as a response to the app (OAuth 2.1 §4.1.2.1), if there is an app to which the person may be redirected."""
        request = sign_in.request
        client = await self._app(request) if request is not None else None
        if request is None or client is None or not request.redirect_uri:
            return AuthorizationError(sign_in, error, None)
        if error.code != "access_denied" and shown_first(client, request.redirect_uri):
            # the person has not seen the question about this app, to which access_denied is their own answer
            return AuthorizationError(sign_in, error, None)
        response = failure(request, issuer=self.issuer, error=error, app_name=client.name)
        return AuthorizationError(sign_in, error, response)

    def declined(self, sign_in: SignIn, account: Account, *, caller: Caller, now: int) -> tuple[Write, ...]:
        """Nothing: the app gets the refusal as its response."""
        del sign_in, account, caller, now
        return ()

    async def _app(self, request: AuthRequest) -> Client | None:
        """The app as registered now. A sign-in may take half an hour: an app that was deleted meanwhile, or a redirect URI that was
        removed from it, gets no response (R1)."""
        client = await self.clients.find(request.client_id)
        if client is None or "authorization_code" not in client.grant_types:
            return None
        if request.redirect_uri and not matches(
            client.redirect_uris, request.redirect_uri, localhost=client.free_localhost
        ):
            return None
        return client


@final
class AuthorizationGoal(Struct, frozen=True, kw_only=True):
    """The request of an app, and what is granted of it."""

    goals: AuthorizationGoals
    request: AuthRequest
    client: Client
    granted: Granted

    @property
    def app_name(self) -> str:
        """The app's name as shown to people."""
        return self.client.name

    async def reach(
        self, sign_in: SignIn, session: Session, achieved: Achieved, *, caller: Caller, now: int
    ) -> Reached:
        """The grant and its code, with their audit event."""
        of = self.goals
        code = f"{CODE_PREFIX}{of.random.token()}"
        grant = of.new_grants.make(
            self.request, self.client, self.granted.scopes, session=session, achieved=achieved, now=now
        )
        writes = (
            *of.new_grants.insert(grant, session),
            of.store.grants.insert_code(self._code(code, grant, now, sign_in.handle_hash is None)),
            of.audit_log.of_grant("code.issued", grant, caller=caller, now=now),
        )
        response = success(self.request, issuer=of.issuer, code=code, app_name=self.client.name)
        return Reached(writes, response, code)

    def _code(self, code: str, grant: Grant, now: int, redirected: bool) -> AuthorizationCode:
        request = self.request
        return AuthorizationCode(
            hash=digest(code),
            grant_id=grant.id,
            client_id=grant.client_id,
            created_at=now,
            expires_at=now + self.goals.tokens.code_ttl,
            redirect_uri=request.redirect_uri if redirected and request.redirect_uri_given else None,
            code_challenge=request.code_challenge,
        )
