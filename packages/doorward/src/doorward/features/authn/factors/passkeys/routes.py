"""/sign-in/passkey: the page that asks for a passkey, its form, and new options for a page that stays open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.signin import SignIn
from doorward.features.authn.factors.passkeys.factor import PATH
from doorward.features.authn.factors.passkeys.proving import COPIED, UNKNOWN, UNVERIFIED, ProvePasskey
from doorward.features.authn.factors.passkeys.rules.proof import KINDS, PASSKEY
from doorward.features.authn.factors.passkeys.rules.response import assertion_response, padless
from doorward.features.authn.factors.passkeys.views import PasskeyStepView, PasskeyWrong
from doorward.features.authn.flow.factor import Factor
from doorward.features.authn.flow.pages import FlowPages, said_stale, ways
from doorward.features.authn.flow.proving import DISABLED
from doorward.features.authn.flow.trust_box import new_device, trust_offer
from doorward.features.sessions.browser_context import (
    BrowserContext,
    BrowserPages,
    PagePost,
    PageVisit,
    StalePost,
)
from doorward.web.http import EarlyResponse, Response, json_response
from doorward.web.page import page
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.route import Route

OPTIONS_PATH: Final = f"{PATH}/options"


@final
class PasskeyPage(Struct, frozen=True, kw_only=True):
    """Handlers for a passkey as the first factor, and as a second one."""

    flow: FlowPages
    prove_passkey: ProvePasskey

    async def ask(self, visit: PageVisit) -> Response:
        """The page with a button. It is shown before a sign-in began, too: then any passkey may answer."""
        browser, sign_in = await self.flow.current(visit.browser, visit.query.get("flow"))
        return await self._page(browser, sign_in, said_stale(browser, visit.query))

    async def ask_again(self, post: StalePost) -> Response:
        """The page once more, with a new challenge."""
        await self.flow.lead_onward(post.browser, post.form.get("flow"))
        browser, sign_in = await self.flow.kept(post.browser, post.form.get("flow"))
        return await self._page(browser, sign_in, post.problem)

    async def options(self, visit: PageVisit) -> Response:
        """New request options, for a page that is open for longer than a challenge lasts."""
        browser, flow = visit.browser, visit.query.get("flow")
        sign_in = await self.flow.sign_ins.get(flow) if flow else None
        if flow and (
            sign_in is None
            or sign_in.browser_hash != browser.browser_hash
            or sign_in.done_at is not None
            or browser.now >= sign_in.expires_at
        ):
            return json_response({"error": "invalid_session"}, 404)
        found = await self.prove_passkey.options(sign_in, browser_hash=browser.browser_hash, now=browser.now)
        return json_response(found)

    async def answer(self, post: PagePost) -> Response:
        """Sign in with a passkey, or show one after another factor."""
        flow, credential = post.form.get("flow"), post.form.get("credential", "")
        sign_in = await self.flow.load(post.browser, flow)
        browser = await self.flow.for_app_of(post.browser, sign_in)
        if not credential:
            # a browser without scripts has sent the form as it is
            return await self._page(browser, sign_in, FormProblem(PasskeyWrong.REFUSED))
        remember = await new_device(self.flow, browser, sign_in, post.form)
        outcome = await self.prove_passkey.prove(
            sign_in,
            credential,
            binding=flow or "",
            browser_hash=browser.browser_hash,
            remember=remember,
            caller=browser.caller,
            now=browser.now,
        )
        if not isinstance(outcome, OAuthError):
            if remember is not None and outcome.account_id == sign_in.account_id:
                browser.remember_trust(remember.cookie)
            if sign_in.account_id is None:
                browser.remember_used(PASSKEY.kind)
            return await self.flow.follow(browser, outcome)
        if outcome.code == "invalid_session":
            return await self.flow.load_and_follow(browser, sign_in.id)
        unknown = _unknown(outcome, credential)
        return await self._page(browser, sign_in, _problem(outcome), unknown, form=post.form)

    async def _page(
        self,
        browser: BrowserContext,
        sign_in: SignIn | None,
        problem: FormProblem | None,
        unknown: str | None = None,
        *,
        form: Mapping[str, str] | None = None,
    ) -> Response:
        account, acceptable = None, self.flow.factors.first
        if sign_in is not None:
            account, acceptable = await self.flow.sign_in_flow.acceptable(sign_in, browser.now)
        if not any(factor.traits.kind in KINDS for factor in acceptable):
            raise EarlyResponse(
                browser.go("/sign-in") if sign_in is None else await self.flow.follow(browser, sign_in)
            )
        options = await self.prove_passkey.options(
            sign_in, browser_hash=browser.browser_hash, now=browser.now
        )
        flow = None if sign_in is None else sign_in.id
        signals = None if unknown is None else self._signals(unknown)
        if _first(acceptable):
            account = None
        trust = None
        if sign_in is not None and account is not None:
            trust = await trust_offer(self.flow, sign_in, account, form or {}, browser.now)
        view = PasskeyStepView(
            options=_text(options),
            renew=OPTIONS_PATH if flow is None else f"{OPTIONS_PATH}?flow={quote(flow)}",
            flow=flow,
            account=None if account is None else account.shown_as,
            others=ways([one for one in acceptable if one.traits.kind not in KINDS], browser.context.locale),
            signals=signals,
            trust=trust,
            problem=problem,
        )
        return page(view, browser)

    def _signals(self, credential_id: str) -> str:
        rp_id = self.prove_passkey.ceremonies.rp_id
        return _text([{"signalName": "unknownCredential", "rpID": rp_id, "credentialID": credential_id}])

    def routes(self, pages: BrowserPages) -> list[Route]:
        """Routes of the page, its form, and the options."""
        return [
            pages.get(PATH, self.ask, takes="flow stale"),
            pages.get(OPTIONS_PATH, self.options, takes="flow", json=dict[str, Any]),
            pages.post(PATH, self.answer, refused=self.ask_again, takes="flow credential trust"),
        ]


def _first(acceptable: Sequence[Factor]) -> bool:
    return any(factor.traits.comes_first and factor.traits.kind not in KINDS for factor in acceptable)


def _problem(error: OAuthError) -> FormProblem:
    if error.code == "too_many_attempts":
        return FormProblem(Wrong.TOO_MANY_TRIES, at=error.retry_at)
    if error == COPIED:
        return FormProblem(PasskeyWrong.COPIED)
    known = {
        UNKNOWN: PasskeyWrong.UNKNOWN,
        UNVERIFIED: PasskeyWrong.UNVERIFIED,
        DISABLED: Wrong.ACCOUNT_DISABLED,
    }
    return FormProblem(known.get(error.description, PasskeyWrong.REFUSED))


def _unknown(error: OAuthError, credential: str) -> str | None:
    if error.description != UNKNOWN:
        return None
    response = assertion_response(credential)
    return None if response is None else padless(response.credential_id)


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
