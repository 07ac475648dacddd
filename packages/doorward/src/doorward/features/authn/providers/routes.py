"""/sign-in/provider: the way to a provider, and the way back."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final, final

from msgspec import Struct, structs

from doorward.core.login_name import normalise_email
from doorward.core.model.signin import SignIn
from doorward.core.ports.keys import Sealer
from doorward.features.authn.addresses.routes import PATH as ADDRESS
from doorward.features.authn.flow.factor import PROVIDER_PATH
from doorward.features.authn.flow.last_used import PROVIDER, is_used, used_last_first
from doorward.features.authn.flow.pages import FlowPages, said_stale, with_flow
from doorward.features.authn.providers.answers import ANSWER, SealedAnswers
from doorward.features.authn.providers.marks import mark_of
from doorward.features.authn.providers.outcomes import (
    AccountNeeded,
    AddressNeeded,
    AlreadyBack,
    IdentityConnected,
    NotSignedIn,
)
from doorward.features.authn.providers.signing_in import ProviderSignIn
from doorward.features.authn.providers.views import AccountNeededView, ProviderChoiceView
from doorward.features.sessions.browser_context import (
    BrowserContext,
    BrowserPages,
    PagePost,
    PageVisit,
    StalePost,
)
from doorward.features.sessions.signed_in_pages import SignedIn, SignedInPages
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views.account import Done
from doorward.web.pages.views.flow import Continue
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.sign_in import ProviderButton
from doorward.web.route import Route

NEEDED: Final = f"{PROVIDER_PATH}/account"
CONNECT: Final = "/account/connect"
CONNECTED: Final = "/account/methods/providers"
SAID_PURPOSE: Final = "provider-said"
PROBLEMS: Final = {
    "cancelled": Wrong.PROVIDER_CANCELLED,
    "unavailable": Wrong.PROVIDER_UNAVAILABLE,
    "refused": Wrong.PROVIDER_REFUSED,
    "not_allowed": Wrong.PROVIDER_ACCOUNT,
    "not_recent": Wrong.PROVIDER_NOT_RECENT,
    "disabled": Wrong.ACCOUNT_DISABLED,
    "taken": Wrong.PROVIDER_TAKEN,
    "no_account": Wrong.PROVIDER_NO_ACCOUNT,
    "replaced": Wrong.PROVIDER_REPLACED,
    "over": Wrong.PROVIDER_OVER,
    "throttled": Wrong.TOO_MANY_TRIES,
}


def callback_path(name: str) -> str:
    """The path of a provider's own redirect URI (R91)."""
    return f"{PROVIDER_PATH}/{name}/callback"


@final
class SaidOnce(Struct, frozen=True, kw_only=True):
    """What a page says after the way back, as a word in its address. It has a MAC for this browser, so that a link from elsewhere cannot make a
    page say it."""

    sealer: Sealer

    def place(self, browser: BrowserContext, path: str, said: NotSignedIn) -> str:
        """The address of the page that says it."""
        what = said.why if said.until is None else f"{said.why}.{said.until}"
        address = f"{path}?said={what}&word={self._word(browser, what)}"
        return with_flow(address, said.sign_in_id or None)

    def problem(self, browser: BrowserContext, query: dict[str, str]) -> FormProblem | None:
        """What the address says, if this server made it for this browser."""
        what = query.get("said", "")
        why, _, until = what.partition(".")
        word = query.get("word", "").encode("utf-8", "replace")
        if why not in PROBLEMS or not hmac.compare_digest(word, self._word(browser, what).encode()):
            return None
        return FormProblem(PROBLEMS[why], at=int(until) if until else None)

    def _word(self, browser: BrowserContext, what: str) -> str:
        return self.sealer.tag(SAID_PURPOSE, f"{browser.secret}:{what}")[:16]


@final
class ProviderPages(Struct, frozen=True, kw_only=True):
    """Handlers for the choice of a provider, the way there and back, and the page for an identity that nobody here has."""

    flow: FlowPages
    own: SignedInPages
    signing_in: ProviderSignIn
    said: SaidOnce
    answers: SealedAnswers

    async def ask(self, visit: PageVisit) -> Response:
        """The accounts of other services with which one can sign in here. Viewing it stores nothing."""
        browser, sign_in = await self.flow.current(visit.browser, visit.query.get("flow"))
        problem = self.said.problem(browser, visit.query) or said_stale(browser, visit.query)
        return self._choice(browser, sign_in, problem)

    async def ask_again(self, post: StalePost) -> Response:
        """The same page, with the reason why the form was not used."""
        browser, kept = await self.flow.kept(post.browser, post.form.get("flow"))
        return self._choice(browser, kept, post.problem)

    async def leave(self, post: PagePost) -> Response:
        """Go to a provider. The address is that of its metadata; nothing of the form is part of it but the mail address of the person."""
        sign_in = await self.flow.load(post.browser, post.form.get("flow"))
        browser = await self.flow.for_app_of(post.browser, sign_in)
        return await self.lead(
            browser, sign_in, post.form.get("provider", ""), post.form.get("identifier", "")
        )

    async def lead(self, browser: BrowserContext, sign_in: SignIn, name: str, typed: str) -> Response:
        """The page that leads to this provider. `typed` is the address that the person has typed, "" for none."""
        # without an app it is a signed-in person who confirms a change: a session at the provider is not enough for that
        anew = browser.session is not None and sign_in.request is None
        url = await self.signing_in.leave(
            name,
            sign_in,
            browser_hash=browser.browser_hash,
            anew=anew,
            locale=browser.context.locale,
            now=browser.now,
            hint=normalise_email(typed) or "",
        )
        if isinstance(url, NotSignedIn):
            return browser.go(self.said.place(browser, PROVIDER_PATH, url))
        label = self.signing_in.providers[name].policy.label
        return page(Continue(url=url, app=label, because="provider"), browser)

    async def come_back(self, visit: PageVisit, name: str) -> Response:
        """The answer of a provider. Everything that goes on from here has an address without its code."""
        browser, answer = visit.browser, visit.query
        if self._posts(name):
            answer = self.answers.opened(name, answer.get(ANSWER, ""))
        outcome = await self.signing_in.come_back(
            name,
            answer,
            stated_name=answer.get("name", "") if self._posts(name) else "",
            account=browser.account,
            session=browser.session,
            caller=browser.caller,
            now=browser.now,
        )
        match outcome:
            case None:
                return await self._lost(browser, name, answer.get("state", ""))
            case SignIn():
                browser.remember_used(PROVIDER, name)
                return await self.flow.follow_proof(await self.flow.for_app_of(browser, outcome), outcome)
            case IdentityConnected():
                return self.own.done(SignedIn(browser), CONNECTED, Done.PROVIDER_CONNECTED)
            case AccountNeeded(pending=pending):
                return browser.go(with_flow(NEEDED, pending.sign_in_id))
            case AddressNeeded(sign_in_id=sign_in_id, waiting=waiting):
                return browser.go(with_flow(f"{ADDRESS}?ticket={waiting}", sign_in_id))
            case AlreadyBack(sign_in_id=sign_in_id):
                if not sign_in_id:
                    return browser.go(CONNECTED)
                return await self.flow.load_and_follow(browser, sign_in_id)
            case NotSignedIn():
                path = PROVIDER_PATH if outcome.sign_in_id or browser.account is None else CONNECTED
                return browser.go(self.said.place(browser, path, outcome))

    async def _lost(self, browser: BrowserContext, name: str, state: str) -> Response:
        """An answer that is another browser's, or an old one: nothing of it is used (R70). A browser without any cookie of this server has lost
        them on the way: it begins again for the same app, as by a new request of that app, without the person whom it expected."""
        journey = self.signing_in.states.stated(state, name, now=browser.now)
        bare = browser.jar.read(browser.request.cookies(), "browser") is None
        found = await self.flow.sign_ins.get(journey.sign_in) if journey is not None and bare else None
        begun = ""
        if found is not None and found.request is not None and found.browser_hash is not None:
            request = structs.replace(found.request, login_hint=None)
            begun = (await self.flow.begin(browser, request)).id
        return browser.go(self.said.place(browser, PROVIDER_PATH, NotSignedIn("over", begun)))

    async def needed(self, visit: PageVisit) -> Response:
        """Nobody here has this identity: its owner signs in first."""
        return await self._needed(visit.browser, None)

    async def needed_again(self, post: StalePost) -> Response:
        """The same page, with the reason why the form was not used."""
        return await self._needed(post.browser, post.problem)

    async def sign_in_first(self, post: PagePost) -> Response:
        """Begin a sign-in that ends on the page that asks whether to connect it."""
        browser = post.browser
        return await self.flow.follow(browser, await self.flow.begin(browser, None, CONNECT))

    async def _needed(self, browser: BrowserContext, problem: FormProblem | None) -> Response:
        pending = await self.signing_in.identities.pending(browser.browser_hash, browser.now)
        provider = None if pending is None else self.signing_in.providers.get(pending.provider)
        if pending is None or provider is None:
            return browser.go(self.said.place(browser, PROVIDER_PATH, NotSignedIn("over")))
        view = AccountNeededView(
            label=provider.policy.label,
            email=pending.email,
            taken=pending.taken,
            flow=pending.sign_in_id,
            problem=problem,
        )
        return page(view, browser)

    def _choice(
        self, browser: BrowserContext, sign_in: SignIn | None, problem: FormProblem | None
    ) -> Response:
        flow = sign_in.id if sign_in else None
        others, _ = self.flow.first_besides(PROVIDER_PATH, browser, flow)
        shown = used_last_first(buttons(self.signing_in), browser.used_last)
        view = ProviderChoiceView(
            providers=shown,
            flow=flow,
            others=others,
            used_last=is_used(shown, browser.used_last),
            problem=problem,
        )
        return page(view, browser)

    def routes(self, pages: BrowserPages) -> list[Route]:
        """Routes of these pages, and one for the way back from each provider."""
        return [
            pages.get(PROVIDER_PATH, self.ask, takes="flow said word"),
            pages.post(PROVIDER_PATH, self.leave, refused=self.ask_again, takes="flow provider identifier"),
            pages.get(NEEDED, self.needed, takes="flow"),
            pages.post(NEEDED, self.sign_in_first, refused=self.needed_again, takes="flow"),
            *(route for name in self.signing_in.providers for route in self._back(pages, name)),
        ]

    def _back(self, pages: BrowserPages, name: str) -> list[Route]:
        """The redirect URI. Where the provider posts its answer, the address of the GET that follows holds it sealed."""
        path, provider, expected = (
            callback_path(name),
            self.signing_in.providers[name],
            "code state iss error",
        )

        async def come_back(visit: PageVisit) -> Response:
            """The answer of an external provider."""
            return await self.come_back(visit, name)

        def place(fields: Mapping[str, str]) -> str:
            named = {**fields, "name": provider.service.posted_name(fields)}
            return f"{path}?{ANSWER}={self.answers.sealed(name, named)}"

        if not self._posts(name):
            return [pages.get(path, come_back, takes=expected)]
        return [
            pages.get(path, come_back, takes=ANSWER),
            pages.foreign_form(path, place, takes=expected),
        ]

    def _posts(self, name: str) -> bool:
        return self.signing_in.providers[name].policy.response_mode == "form_post"


def buttons(signing_in: ProviderSignIn) -> tuple[ProviderButton, ...]:
    """A button for each provider, in the order of the settings."""
    return tuple(
        ProviderButton(name, one.policy.label, mark_of(one.service))
        for name, one in signing_in.providers.items()
    )
