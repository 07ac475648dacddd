"""The authorization endpoint and the consent page (OAuth 2.1 §3.1, §4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from doorward.core.errors import Refusal
from doorward.core.ports.keys import Sealer
from doorward.features.authn.flow.outcomes import AskConsent, Denied
from doorward.features.authn.flow.routes import Steps, named
from doorward.features.oauth.authorize.service import Accepted, Authorize, Refused, Unsure
from doorward.features.oauth.consent.service import AnswerConsent
from doorward.features.sessions.asked import pack
from doorward.features.sessions.browser_context import Forbidden, Visitors
from doorward.web.http import BadForm, Request, Response, Route, route
from doorward.web.page import page
from doorward.web.pages.views.ends import ErrorPage, Failure, Way
from doorward.web.refusals import note


@dataclass(frozen=True, slots=True)
class AuthorizePages:
    """GET and POST /authorize, GET and POST /consent."""

    visitors: Visitors
    steps: Steps
    authorize: Authorize
    answer: AnswerConsent
    sealer: Sealer

    async def start(self, request: Request) -> Response:
        """/authorize by GET or POST (OpenID Connect Core §3.1.2.1)."""
        try:
            params: Mapping[str, str] = await request.form() if request.method == "POST" else request.query()
        except BadForm as problem:
            # Which of two client_ids or redirect_uris is meant cannot be known, so nobody is redirected (line 9, line 2).
            visitor = await self.visitors.meet(request)
            note(Refusal("invalid_request", str(problem)), request, event="authorization request refused")
            return page(ErrorPage(Failure.BAD_REQUEST, detail=str(problem)), visitor, 400)
        if request.method == "POST":
            elsewhere = self.steps.again_by_get(await self.visitors.meet(request), "/authorize", params)
            if elsewhere is not None:
                return elsewhere
        outcome = self.authorize.check(params)
        if isinstance(outcome, Unsure):
            visitor = await self.visitors.meet(request)
            note(
                outcome.refusal,
                request,
                event="authorization request refused",
                client_id=params.get("client_id"),
                warning=True,
            )
            return page(_unsure(outcome), visitor, 400)
        if isinstance(outcome, Refused):
            visitor = await self.visitors.meet(request)
            note(outcome.refusal, request, event="authorization request refused")
            return self.steps.deliver(visitor, outcome.response, denied=True)
        return await self._go(request, outcome, params)

    async def consent(self, request: Request) -> Response:
        """GET /consent shows the question; it decides nothing."""
        visitor = await self.visitors.meet(request)
        try:
            flow = request.query().get("flow")
        except BadForm as problem:
            return page(ErrorPage(Failure.BAD_REQUEST, detail=str(problem)), visitor, 400)
        sign_in = await self.steps.load(visitor, flow)
        if isinstance(sign_in, Response):
            return sign_in
        if sign_in.request is not None:
            visitor = await self.visitors.meet(request, ui_locales=sign_in.request.ui_locales)
        return await self.steps.follow(visitor, sign_in)

    async def decide(self, request: Request) -> Response:
        """POST /consent: Allow or Cancel."""
        visitor = await self.visitors.meet(request)
        try:
            form = await request.form()
        except BadForm as problem:
            return page(ErrorPage(Failure.BAD_REQUEST, detail=str(problem)), visitor, 400)
        try:
            visitor.guard(form, sealer=self.sealer)
            ours = True
        except Forbidden:
            ours = False
            kept = await self.steps.kept(visitor, form.get("flow"))
            if kept is not None and kept.id != form.get("flow"):
                return await self.steps.follow_stale(visitor, kept)
        sign_in = await self.steps.load(visitor, form.get("flow"))
        if isinstance(sign_in, Response):
            return sign_in
        asked = await self.steps.advance(
            sign_in,
            session=visitor.session,
            devices=visitor.devices,
            caller=visitor.caller,
            now=visitor.now,
        )
        if not isinstance(asked, AskConsent):
            return await self.steps.answer(visitor, asked)
        decision = form.get("decision")
        if not ours or decision not in {"allow", "deny"}:
            return self.steps.consent_page(visitor, asked)
        outcome = await self.answer.answer(
            asked, allow=decision == "allow", caller=visitor.caller, now=visitor.now
        )
        if outcome is None:
            return await self.steps.load_and_follow(visitor, sign_in.id)
        if isinstance(outcome, Denied):
            return await self.steps.answer(visitor, outcome)
        return await self.steps.follow(visitor, outcome)

    async def _go(self, request: Request, accepted: Accepted, params: Mapping[str, str]) -> Response:
        asked = accepted.request
        visitor = named(await self.visitors.meet(request, ui_locales=asked.ui_locales), accepted.client.name)
        if visitor.session is not None:
            return await self.steps.follow(visitor, await self.steps.begin(visitor, asked))
        # an id of the same length stands in for the one that there will be
        kept = self.authorize.lighter(accepted, carried=pack("sin_" + 32 * "0", params) is not None)
        if isinstance(kept, Refused):
            note(kept.refusal, request, event="authorization request refused")
            return self.steps.deliver(visitor, kept.response, denied=True)
        sign_in = await self.steps.begin(visitor, kept.request)
        if (carried := pack(sign_in.id, params)) is not None:
            visitor.remember_asked(carried)
        return await self.steps.follow(visitor, sign_in)


def _unsure(outcome: Unsure) -> ErrorPage:
    refusal = outcome.refusal
    if refusal.code == "invalid_client":
        return ErrorPage(Failure.UNKNOWN_APP, detail=refusal.say, ways=(Way.HOME,))
    if "redirect_uri" in refusal.because:
        return ErrorPage(Failure.BAD_REDIRECT, detail=refusal.say, ways=(Way.HOME,))
    return ErrorPage(Failure.BAD_REQUEST, detail=refusal.say, ways=(Way.HOME,))


def routes(
    *, visitors: Visitors, steps: Steps, authorize: Authorize, answer: AnswerConsent, sealer: Sealer
) -> list[Route]:
    """The two paths."""
    pages = AuthorizePages(visitors, steps, authorize, answer, sealer)
    return [
        route("/authorize", "GET POST", pages.start, page=True),
        route("/consent", "GET", pages.consent, page=True),
        route("/consent", "POST", pages.decide, page=True),
    ]
