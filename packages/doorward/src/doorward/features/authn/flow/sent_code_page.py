"""The page of a code that is sent: it is asked for with a button, and then typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.sent_code import DeliveryState
from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.factor import TYPED_CODE_PATH, Factor
from doorward.features.authn.flow.pages import FlowPages, ways, with_flow
from doorward.features.authn.flow.rules import sent_code as rule
from doorward.features.authn.flow.rules.sent_code import NotYet
from doorward.features.authn.flow.sending import SendCode, sender_of
from doorward.features.authn.flow.sent_code import SentCodeTyped, Undeliverable
from doorward.features.authn.flow.trust_box import trust_offer
from doorward.features.rate_limits.rules.attempts import Wait
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
from doorward.web.pages.views.sent_code import CodeTarget, SentCodeView
from doorward.web.pages.views.sign_in import TrustOffer
from doorward.web.route import Route

SEND_PATH: Final = f"{TYPED_CODE_PATH}/send"
DELIVERY_PATH: Final = f"{TYPED_CODE_PATH}/delivery"
NOT_YET: Final[Mapping[str, Wrong]] = {
    "pause": Wrong.CODE_NOT_YET,
    "request": Wrong.TOO_MANY_TRIES,
    "account": Wrong.TOO_MANY_MAILS,
}


class DeliveryAnswer(Struct, frozen=True):
    """What is known of the message with the code."""

    delivery: DeliveryState


@final
class SentCodePages(Struct, frozen=True, kw_only=True):
    """The part of the page of typed codes that is for codes which are sent. A GET never sends one."""

    flow: FlowPages
    send_code: SendCode

    async def shown(
        self,
        browser: BrowserContext,
        sign_in: SignIn,
        account: Account,
        acceptable: tuple[Factor, ...],
        sender: SentCodeTyped,
        trust: TrustOffer | None,
        problem: FormProblem | None,
    ) -> Response:
        """The page: the button, or the field for the code that was sent. `sender` is that of an acceptable factor."""
        kind, delivery, now = sender.kind, sender.delivery, browser.now
        rows = await self.send_code.of_kind(sign_in, account, kind)
        code = await sender.codes.live(kind, sign_in.id, now)
        sent_to = next((row for row in rows if code is not None and row.id == code.factor_id), None)
        view = SentCodeView(
            account=account.shown_as,
            flow=sign_in.id,
            method=kind,
            action=f"{TYPED_CODE_PATH}?method={kind}",
            send_action=f"{SEND_PATH}?kind={kind}",
            targets=tuple(
                CodeTarget(row.id, delivery.shown(delivery.target(account, row), account)) for row in rows
            ),
            sent_to=delivery.shown(delivery.target(account, sent_to), account) if sent_to else None,
            again_at=again_at if code and (again_at := code.created_at + rule.PAUSE) > now else None,
            another=code is not None and code.sends > 1,
            delivery="under_way" if code is None else await delivery.state(code),
            watch=f"{DELIVERY_PATH}?kind={kind}",
            nothing_there=sender.nothing_there,
            trust=trust,
            problem=problem,
            others=ways([one for one in acceptable if one.traits.kind != kind], browser.context.locale),
        )
        return page(view, browser)

    async def reload(self, visit: PageVisit) -> Response:
        """Leads to the page with the button, after a reload of the answer to its form."""
        kind = visit.query.get("kind", "")
        known = any(sends(factor) and factor.traits.kind == kind for factor in self.flow.factors.all)
        path = f"{TYPED_CODE_PATH}?method={kind}" if known else TYPED_CODE_PATH
        return visit.browser.go(with_flow(path, visit.query.get("flow")))

    async def delivery(self, visit: PageVisit) -> Response:
        """What is known of the message with the code, for a page that stays open. Only for the browser of a sign-in in which such a code
        may come next, so that nobody learns more than from the page. Nothing is written."""
        sign_in = await self.flow.sign_ins.get(visit.query.get("flow", ""))
        if sign_in is not None and sign_in.browser_hash == visit.browser.browser_hash:
            account, acceptable = await self.flow.sign_in_flow.acceptable(sign_in, visit.browser.now)
            sender = sender_of(acceptable, visit.query.get("kind", ""))
            if account is not None and sender is not None:
                code = await sender.codes.live(sender.kind, sign_in.id, visit.browser.now)
                state = "under_way" if code is None else await sender.delivery.state(code)
                return json_response(DeliveryAnswer(state))
        return json_response({"error": "invalid_session"}, 404)

    async def send(self, post: PagePost) -> Response:
        """Send a code, or another one."""
        browser, kind = post.browser, post.form.get("kind", "")
        browser, sign_in = await self.flow.current(browser, post.form.get("flow"))
        if sign_in is None:
            return browser.go("/sign-in")
        outcome = await self.send_code.send(
            sign_in,
            kind,
            to=post.form.get("to") or None,
            locale=browser.context.locale,
            caller=browser.caller,
            now=browser.now,
        )
        match outcome:
            case OAuthError():
                return await self.flow.load_and_follow(browser, sign_in.id)
            case NotYet(until=until, why=why):
                problem = FormProblem(NOT_YET[why], at=until)
            case Wait(until=until, stranger=stranger):
                problem = FormProblem(Wrong.TOO_MANY_MAILS if stranger else Wrong.TOO_MANY_TRIES, at=until)
            case Undeliverable():
                problem = FormProblem(Wrong.CODE_UNDELIVERABLE)
            case _:
                return browser.go(with_flow(f"{TYPED_CODE_PATH}?method={kind}", sign_in.id))
        account, acceptable = await self.flow.sign_in_flow.acceptable(sign_in, browser.now)
        sender = sender_of(acceptable, kind)
        if account is None or sender is None:
            return await self.flow.load_and_follow(browser, sign_in.id)
        trust = await trust_offer(self.flow, sign_in, account, post.form, browser.now)
        return await self.shown(browser, sign_in, account, acceptable, sender, trust, problem)

    async def send_again(self, post: StalePost) -> Response:
        """The page with the button; nothing is sent for a form that was refused."""
        await self.flow.lead_onward(post.browser, post.form.get("flow"))
        browser, sign_in = await self.flow.current(post.browser, post.form.get("flow"))
        kind = post.form.get("kind", "")
        if sign_in is None:
            raise EarlyResponse(browser.go("/sign-in"))
        account, acceptable = await self.flow.sign_in_flow.acceptable(sign_in, browser.now)
        sender = sender_of(acceptable, kind)
        if account is None or sender is None:
            return await self.flow.follow(browser, sign_in)
        trust = await trust_offer(self.flow, sign_in, account, post.form, browser.now)
        return await self.shown(browser, sign_in, account, acceptable, sender, trust, post.problem)

    def routes(self, pages: BrowserPages) -> list[Route]:
        """The form with the button, and the state of the message."""
        return [
            pages.get(SEND_PATH, self.reload, takes="flow kind"),
            pages.get(DELIVERY_PATH, self.delivery, takes="flow kind", json=DeliveryAnswer),
            pages.post(SEND_PATH, self.send, refused=self.send_again, takes="flow kind to"),
        ]


def sends(factor: Factor) -> bool:
    """Whether the codes of a factor are sent."""
    return isinstance(factor.typed_code, SentCodeTyped)
