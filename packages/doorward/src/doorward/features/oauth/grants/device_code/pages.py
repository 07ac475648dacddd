"""Device pages: /device, where people type a code, the question, and /device/done (RFC 8628 §3.3, R34, R100)."""

from __future__ import annotations

from typing import Final, final
from urllib.parse import quote, urlsplit

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.device import describe
from doorward.core.model.device_authorization import DeviceAuthorization
from doorward.core.model.policy import TokenPolicy
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.refresh_life import refresh_life
from doorward.features.authn.flow.outcomes import AskConsent, AuthorizationError
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.oauth.consent.rules import empty_handed, left_out
from doorward.features.oauth.consent.view import scope_lines
from doorward.features.oauth.grants.device_code.requests import DecidedRequest, DeviceRequests
from doorward.features.oauth.grants.device_code.rules import network, user_code
from doorward.features.oauth.grants.device_code.views import (
    DeviceAskView,
    DeviceCodeView,
    DeviceEnd,
    DeviceEndView,
    WrongUserCode,
)
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.browser_context import (
    BrowserContext,
    BrowserPages,
    PagePost,
    PageVisit,
    StalePost,
)
from doorward.web.http import EarlyResponse, Response
from doorward.web.page import page
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.said import Said
from doorward.web.route import SIGN_IN, Route

DEVICE: Final = "/device"
DONE: Final = "/device/done"


@final
class DevicePages(Struct, frozen=True, kw_only=True):
    """Handlers of the pages before and after the question. Whoever opens them signs in first: a code is looked up for nobody else, and
    no GET looks one up, so that a link has no effect and says nothing about a code."""

    flow: FlowPages
    requests: DeviceRequests

    def routes(self, pages: BrowserPages) -> list[Route]:
        """Routes of the two paths."""
        return [
            pages.get(DEVICE, self.show, checks=(SIGN_IN,), takes="user_code"),
            pages.post(DEVICE, self.enter, refused=self.show_again, checks=(SIGN_IN,), takes="user_code"),
            pages.get(DONE, self.done, checks=(SIGN_IN,), takes="request"),
        ]

    async def show(self, visit: PageVisit) -> Response:
        """The form for the code that a device shows; a code in the address is filled in."""
        browser, given = visit.browser, user_code.read(visit.query.get("user_code", ""))
        account = await self._signed_in(browser, given)
        code = "" if given is None else user_code.shown(given)
        return page(DeviceCodeView(account=account.shown_as, code=code, given=given is not None), browser)

    async def enter(self, post: PagePost) -> Response:
        """Look for the device of the code. The question follows, on a page of its own."""
        browser, typed = post.browser, post.form.get("user_code", "")
        account = await self._signed_in(browser, user_code.read(typed))
        if not typed.strip():
            return self._again(browser, account, typed, FormProblem(Wrong.CODE_MISSING))
        found = await self.requests.find(typed, account, caller=browser.caller, now=browser.now)
        if isinstance(found, Wait):
            problem = FormProblem(Wrong.TOO_MANY_TRIES, at=found.until)
            return self._again(browser, account, typed, problem)
        wrong = WrongUserCode.UNKNOWN if found is None else _wrong(found, browser.now)
        asked = None if found is None else await self.requests.asked(found)
        if found is None or asked is None or wrong is not None:
            return self._again(browser, account, typed, FormProblem(wrong or WrongUserCode.UNKNOWN))
        sign_in = await self.flow.begin(browser, asked, f"{DONE}?request={found.id}")
        return await self.flow.follow(browser, sign_in)

    async def show_again(self, post: StalePost) -> Response:
        """The form, with the code that was typed."""
        typed = post.form.get("user_code", "")
        account = await self._signed_in(post.browser, user_code.read(typed))
        view = DeviceCodeView(problem=post.problem, account=account.shown_as, code=_kept(typed))
        return page(view, post.browser, post.problem.status)

    async def done(self, visit: PageVisit) -> Response:
        """What became of a request that the signed-in person decided, as it is now."""
        browser = visit.browser
        account = await self._signed_in(browser, None)
        found = await self.requests.decided(visit.query.get("request", ""))
        if found is None:
            return browser.go(DEVICE)
        if found.request.account_id != account.id:
            return page(DeviceEndView(state="used"), browser, 400)
        client = await self.requests.app(found.request.client_id)
        state = _end(found, browser.now)
        return page(DeviceEndView(state=state, app=client.name if client is not None else None), browser)

    async def _signed_in(self, browser: BrowserContext, code: str | None) -> Account:
        """The signed-in person. Raises `EarlyResponse` with the first step of a sign-in that leads back here, with the code."""
        if browser.account is None or browser.session is None:
            query = "" if code is None else f"?user_code={quote(user_code.shown(code))}"
            raise EarlyResponse(await self.flow.sign_in_first(browser, f"{DEVICE}{query}"))
        return browser.account

    def _again(self, browser: BrowserContext, account: Account, typed: str, problem: FormProblem) -> Response:
        view = DeviceCodeView(account=account.shown_as, code=_kept(typed), code_problem=problem)
        return page(view, browser, problem.status)


@final
class DeviceDecisionPages(Struct, frozen=True, kw_only=True):
    """The question, and the page for a sign-in that cannot answer it."""

    requests: DeviceRequests
    config: ConfigSource
    tokens: TokenPolicy

    def consent_page(self, browser: BrowserContext, asked: AskConsent) -> Response:
        """All that tells a stranger's device from the person's own, and what it would get."""
        device, client = asked.device, asked.client
        if device is None:
            return browser.go(DEVICE)
        api = self.config.current().apis.get(asked.request.audience)
        view = DeviceAskView(
            app=client.name,
            code=self.requests.code_of(device),
            label=describe(device.user_agent),
            address=device.address,
            same_network=network.same(device.address, browser.address),
            age=max(0, browser.now - device.created_at),
            account=asked.account.shown_as,
            account_name=asked.account.name,
            scopes=scope_lines(asked.scopes, api),
            left_out=scope_lines(left_out(asked.request, asked.scopes, api), api),
            useless_at=api.name
            if api is not None and empty_handed(asked.request, asked.scopes, api)
            else None,
            published_at=urlsplit(client.id).netloc if client.registered_by == "document" else None,
            unknown=client.self_registered,
            lasts=refresh_life(client, self.tokens),
            offline="offline_access" in asked.scopes,
            flow=asked.sign_in.id,
            not_you=f"/sign-in?flow={asked.sign_in.id}&prompt=select_account",
        )
        return page(view, browser.for_app(client.name))

    async def refused(self, browser: BrowserContext, outcome: AuthorizationError) -> Response:
        """Why nothing was decided; after the person's own refusal, what they decided."""
        request, error = outcome.sign_in.request, outcome.error
        decided = error.code in {"access_denied", "invalid_grant"}
        if decided and request is not None and request.device is not None:
            return browser.go(f"{DONE}?request={request.device}")
        state: DeviceEnd = "expired" if error.code == "expired_token" else "refused"
        client = await self.requests.app(request.client_id) if request is not None else None
        view = DeviceEndView(
            state=state, app=client.name if client is not None else None, detail=error.description
        )
        return page(view, browser, 400)


def _wrong(found: DeviceAuthorization, now: int) -> Said | None:
    state = found.state(now)
    if state == "pending":
        return None
    return WrongUserCode.EXPIRED if state == "expired" else WrongUserCode.USED


def _end(found: DecidedRequest, now: int) -> DeviceEnd:
    state, grant = found.request.state(now), found.grant
    if state == "denied":
        return "denied"
    if grant is None or grant.ended_at is not None or now >= grant.expires_at:
        return "ended"
    if state == "redeemed":
        return "connected"
    return "allowed" if state == "approved" else "expired"


def _kept(typed: str) -> str:
    return typed[: user_code.MOST_TYPED]
