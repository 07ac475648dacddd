"""Sign-in without a browser redirect, for first-party apps (OAuth 2.0 for First-Party Applications §5).

Credentials in, next step or a code out. It uses the same steps and services as the pages, so that a second factor cannot be skipped
(R85).
"""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import Any, Final, final

from msgspec import Struct, field, structs

from doorward.adapters.operator_notices import OperatorNotices
from doorward.core.errors import OAuthError
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.digest import digest
from doorward.core.model.policy import SessionPolicy
from doorward.core.model.signin import SignIn
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.random import SecureRandom
from doorward.core.web_origin import web_origin
from doorward.features.authn.flow.factor import Factor, JsonStep
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.outcomes import (
    AskConsent,
    AuthorizationError,
    EnrolmentRequired,
    FactorRequired,
    Finished,
)
from doorward.features.authn.flow.remembered import CHOSEN, FIELD, DeviceToRemember
from doorward.features.authn.flow.risk import rows_of
from doorward.features.authn.flow.rules import begin
from doorward.features.authn.flow.rules.assurance import counting
from doorward.features.authn.flow.rules.routing import DomainRoutes
from doorward.features.authn.flow.rules.sent_code import NotYet
from doorward.features.authn.flow.sending import SendCode
from doorward.features.authn.flow.sent_code import CodeSent, Undeliverable
from doorward.features.authn.flow.sign_in_flow import SignInFlow
from doorward.features.oauth.authorize.rules.request import Origin
from doorward.features.oauth.authorize.rules.request import authorize as permit
from doorward.features.oauth.authorize.rules.weight import MOST_OF_STRANGER, too_heavy, weight
from doorward.features.oauth.client_auth.service import ClientAuthenticator
from doorward.features.oauth.clients.ignored_scopes import note_ignored
from doorward.features.oauth.clients.rules import own_page as page
from doorward.features.oauth.first_party.outcomes import Code, More
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.rules.sign_in_starts import SignInRateLimiter
from doorward.storage.sql.store import Store, Write
from doorward.web.pages import language

HANDLE_PREFIX: Final = "dw_as_"
_IN_A_BROWSER: Final = OAuthError(
    "interaction_required", "Send the person to the sign-in page: what is asked for next needs a browser."
)
_ELSEWHERE: Final = OAuthError(
    "redirect_to_web", "People of this domain sign in at their provider. Send them to the sign-in page."
)
_OVER: Final = OAuthError("invalid_session", "This sign-in is over. Begin again without auth_session.")


class _Proven(Struct, frozen=True):
    """What came of the steps of one call. `trust_token`: the device is remembered now."""

    sign_in: SignIn
    error: OAuthError | None
    unsaved: list[Write]
    trust_token: str | None = None


@final
class AuthorizationChallenge(Struct, frozen=True, kw_only=True):
    """One call of the endpoint: begin or continue a sign-in, check what was sent, return the next step."""

    store: Store
    config: ConfigSource
    random: SecureRandom
    clock: Clock
    clients: ClientAuthenticator
    factors: OfferedFactors
    typed_code: JsonStep
    send_code: SendCode
    sign_in_flow: SignInFlow
    sessions: SessionPolicy
    issuer: str
    notices: OperatorNotices
    routes: DomainRoutes = field(default_factory=DomainRoutes)
    limiter: SignInRateLimiter = field(default_factory=SignInRateLimiter)

    async def answer(
        self,
        params: Mapping[str, str],
        *,
        authorization: str | None,
        caller: Caller,
        origin: str | None = None,
    ) -> Code | More | OAuthError:
        """`origin` is that of the calling page, if there is one. `params` are those of the request, form or JSON; an empty one counts
        as omitted (OAuth 2.1 §3.1). Raises `StoreUnavailable`, `HashingBusy`."""
        now = self.clock.now()
        params = {name: value for name, value in params.items() if value}
        asked = TokenRequest(
            form=params,
            method="POST",
            url=f"{self.issuer}/authorize-challenge",
            caller=caller,
            now=now,
            authorization=authorization,
        )
        client = await self.clients.authenticate(asked)
        if isinstance(client, OAuthError):
            return client
        # before any counting or checking: an attacker's page could let each of its visitors guess
        if (error := page.may_ask(client, origin=origin, own_origin=web_origin(self.issuer))) is not None:
            return error.to(client.name)
        if "device_token" in params:
            # an unknown value has no effect
            caller = structs.replace(caller, devices=(digest(params["device_token"]),))
        if "trust_token" in params:
            caller = structs.replace(caller, trusted=tuple(params["trust_token"].split(".")))
        outcome = await self._called(client, params, caller, now)
        if isinstance(outcome, OAuthError):
            return outcome.to(client.name)
        if isinstance(outcome, More) and outcome.because is not None:
            return structs.replace(outcome, because=outcome.because.to(client.name))
        return outcome

    async def _called(
        self, client: Client, params: Mapping[str, str], caller: Caller, now: int
    ) -> Code | More | OAuthError:
        if not client.first_party or "authorization_code" not in client.grant_types:
            return OAuthError(
                "unauthorized_client",
                "This app must send people to the sign-in page.",
                f"app {client.name!r} is not first-party",
                fix=f"doorward app set {quote(client.name)} --first-party",
            )
        # An app's own server, which has a verified credential, sends requests for all its people from one address.
        counted = not client.confidential and "auth_session" not in params
        if counted and (until := self.limiter.full(caller.address, now)) is not None:
            return OAuthError(
                "too_many_attempts", "Too many tries. Try again later.", "sign-ins begun", until
            )
        begun = await self._sign_in(client, params, now)
        if isinstance(begun, OAuthError):
            return begun
        sign_in, handle, new = begun
        if (error := self._elsewhere(params)) is not None:
            return error
        unsaved: list[Write] = [self.store.sign_ins.insert(sign_in)] if new else []
        proven = await self._prove(sign_in, params, caller, now, unsaved)
        sign_in, error, unsaved = proven.sign_in, proven.error, proven.unsaved
        if error is None and "send" in params and self.typed_code.field not in params:
            await self.store.commit(*unsaved)
            unsaved, error = [], await self._send(sign_in, params["send"], caller, now)
        if error is not None and error.code == "invalid_session":
            return _OVER
        if error is not None and error.code == "redirect_to_web":
            return error
        outcome = await self._more(sign_in, handle, error, caller, now, unsaved)
        if proven.trust_token is not None and isinstance(outcome, Code):
            outcome = structs.replace(outcome, trust_token=proven.trust_token)
        if counted and not isinstance(outcome, Code):
            self.limiter.note(caller.address, now)
        return outcome

    def _elsewhere(self, params: Mapping[str, str]) -> OAuthError | None:
        """The refusal for an app that sent only the address of somebody whose domain is routed to a provider (§5.2.2): the same whether or
        not anybody has it."""
        alone = not any(step.field in params for step in self.steps())
        return _ELSEWHERE if alone and self.routes.of(params.get("username", "")) is not None else None

    async def _sign_in(
        self, client: Client, params: Mapping[str, str], now: int
    ) -> tuple[SignIn, str, bool] | OAuthError:
        """The sign-in, its handle, and whether it is new and not stored yet."""
        handle = params.get("auth_session")
        if handle is not None:
            known = await self.store.sign_ins.by_handle(digest(handle))
            if known is None or known.done_at is not None or now >= known.expires_at:
                return _OVER
            # A handle belongs to one app: another first-party app that sees it cannot use it.
            if known.request is None or known.request.client_id != client.id:
                return _OVER
            return known, handle, False
        source = Origin(client, "", "query", None, given=False)
        asked = {name: value for name, value in params.items() if name != "response_mode"}
        request = permit({**asked, "response_type": "code"}, source, self.config.current(), self.issuer)
        if isinstance(request, OAuthError):
            return request
        if weight(request) > MOST_OF_STRANGER:
            return too_heavy(MOST_OF_STRANGER)
        note_ignored(self.notices, self.config.current(), client, asked.get("scope"))
        handle = HANDLE_PREFIX + self.random.token()
        sign_in = begin.sign_in(
            sign_in_id=self.random.new_id("sin"),
            now=now,
            ttl=self.sessions.sign_in_ttl,
            browser_hash=None,
            handle_hash=digest(handle),
            request=request,
            session=None,
            kinds=self.factors.kinds,
        )
        return sign_in, handle, True

    async def _prove(
        self,
        sign_in: SignIn,
        params: Mapping[str, str],
        caller: Caller,
        now: int,
        unsaved: list[Write],
    ) -> _Proven:
        """The sign-in with new proofs, and the refusal if any. A right password beside a wrong code stays proven.

        `unsaved` are the writes that store a new sign-in: it mostly ends in this call, so its start and end share one commit. The
        remaining ones are returned.
        """
        trust_token: str | None = None
        for step in self.steps():
            if step.field not in params:
                continue
            if unsaved and not sign_in.proofs:
                begun = await step.prove_new(sign_in, params, caller=caller, now=now)
                if isinstance(begun, OAuthError):
                    return _Proven(sign_in, begun, unsaved)
                if begun is not None:
                    sign_in, unsaved = begun
                    continue
            if unsaved:
                await self.store.commit(*unsaved)
                unsaved = []
            remember: DeviceToRemember | None = None
            if step.remembers and params.get(FIELD) == CHOSEN:
                remember = await self.sign_in_flow.new_device(sign_in, caller, now)
            outcome = await step.prove_on(sign_in, params, remember=remember, caller=caller, now=now)
            if isinstance(outcome, OAuthError):
                return _Proven(sign_in, outcome, unsaved, trust_token)
            sign_in = outcome
            trust_token = trust_token if remember is None else remember.cookie
        return _Proven(sign_in, None, unsaved, trust_token)

    async def _send(self, sign_in: SignIn, kind: str, caller: Caller, now: int) -> OAuthError | None:
        """Send a code by mail or text message, if one of this kind may be next; the refusal, if any."""
        wishes = sign_in.request.ui_locales if sign_in.request is not None else ()
        locale = language.choose(ui_locales=" ".join(wishes))
        sent = await self.send_code.send(sign_in, kind, locale=locale, caller=caller, now=now)
        match sent:
            case CodeSent():
                return None
            case NotYet(until=until) | Wait(until=until):
                return OAuthError(
                    "too_many_attempts", "Wait before you ask for another code.", "code not sent yet", until
                )
            case Undeliverable():
                return OAuthError("access_denied", "No code can be sent there.", "code undeliverable")
            case OAuthError():
                return OAuthError(
                    "invalid_request", "No code of this kind can be sent now.", f"send={kind[:40]!r}"
                )

    async def _entries(
        self, sign_in: SignIn, acceptable: tuple[Factor, ...], now: int
    ) -> tuple[dict[str, Any], ...]:
        """One entry for each step and method that needs no browser, and one for the accounts elsewhere, which need one."""
        account, rows = None, ()
        if sign_in.account_id is not None and self.factors.begun(
            counting(sign_in.proofs, sign_in.fresh_after)
        ):
            account = await self.store.accounts.get(sign_in.account_id)
            rows = await self.store.accounts.factors(sign_in.account_id)
            if account is not None:
                rows = rows_of(self.factors, sign_in, account, rows)
        entries: dict[tuple[str, object], dict[str, Any]] = {}
        for factor in acceptable:
            if factor.step is not None:
                entry = {"step": factor.step, **await factor.described(sign_in, account, rows, now)}
                entries.setdefault((factor.step, entry.get("method")), entry)
            elif account is None and (buttons := factor.buttons()):
                # the same for everybody: who has connected an account elsewhere is not said (R80)
                offered = [{"name": one.provider, "label": one.label} for one in buttons]
                entries["redirect_to_web", None] = {"step": "redirect_to_web", "providers": offered}
        return tuple(entries.values())

    def steps(self) -> list[JsonStep]:
        """The steps of all factors; all typed codes share one step."""
        own = [factor.json_step for factor in self.factors.all]
        return [*(step for step in own if step is not None), self.typed_code]

    async def _more(
        self,
        sign_in: SignIn,
        handle: str,
        because: OAuthError | None,
        caller: Caller,
        now: int,
        unsaved: list[Write],
    ) -> Code | More | OAuthError:
        if because is not None and because.code == "invalid_request":
            return because
        outcome = await self.sign_in_flow.next(sign_in, session=None, caller=caller, now=now, first=unsaved)
        if not isinstance(outcome, Finished):
            await self.store.commit(*unsaved)
        match outcome:
            case FactorRequired(acceptable=acceptable):
                step = _step(acceptable)
                if step is None:
                    return because or _IN_A_BROWSER
                entries = await self._entries(outcome.sign_in, acceptable, now)
                return More(handle, step, entries, because)
            case Finished(code=str() as code, device_secret=secret, trust=trust):
                return Code(code, secret, trust)
            case EnrolmentRequired():
                return OAuthError(
                    "interaction_required",
                    "Send the person to the sign-in page: a second step has to be set up.",
                )
            case AskConsent():
                # prompt=consent requires a page, and this endpoint has none (§5.2.2: redirect_to_web).
                return OAuthError("interaction_required", "Send the person to the sign-in page for consent.")
            case AuthorizationError(error=error):
                return error
            case _:
                return _OVER


def _step(acceptable: tuple[Factor, ...]) -> str | None:
    """The first step that needs no browser."""
    return next((factor.step for factor in acceptable if factor.step is not None), None)
