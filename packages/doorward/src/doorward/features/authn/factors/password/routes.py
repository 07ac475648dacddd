"""/sign-in: the page that asks for e-mail address and password."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.secret import Secret
from doorward.features.authn.addresses.routes import lead as address_first
from doorward.features.authn.addresses.service import ProveAddress
from doorward.features.authn.factors.password.service import CheckPassword
from doorward.features.authn.flow.factor import PROVIDER_PATH
from doorward.features.authn.flow.last_used import PROVIDER, is_used, used_last_first
from doorward.features.authn.flow.pages import FlowPages, hinted, said_stale, ticket_of
from doorward.features.authn.flow.routed import elsewhere, lead
from doorward.features.authn.flow.waiting_person import AddressRequired
from doorward.features.authn.slots import FinishedReset
from doorward.features.sessions.browser_context import (
    BrowserContext,
    BrowserPages,
    PagePost,
    PageVisit,
    StalePost,
)
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views import sign_in as views
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.route import Route

PATH: Final = "/sign-in"


@final
class SignInPage(Struct, frozen=True, kw_only=True):
    """Handlers for GET and POST."""

    flow: FlowPages
    prove_password: CheckPassword
    resets: Sequence[FinishedReset]
    addresses: ProveAddress

    async def ask(self, visit: PageVisit) -> Response:
        """The sign-in page. `restart` and `prompt=select_account` begin it anew; after a reset it knows the address."""
        query = visit.query
        browser, sign_in = await self.flow.current(visit.browser, query.get("flow"))
        reset_email = await self._just_reset(browser, query)
        if sign_in is None and browser.account is not None and reset_email is None:
            return browser.go("/account")
        if sign_in is not None and ("restart" in query or query.get("prompt") == "select_account"):
            sign_in = await self.flow.anew(browser, sign_in)
        return self._page(
            browser,
            sign_in.id if sign_in else None,
            reset_email or hinted(sign_in),
            password_reset=reset_email is not None,
            only_identifier=reset_email is None and query.get("with") != "password" and self._routing,
            problem=said_stale(browser, query),
        )

    async def ask_again(self, post: StalePost) -> Response:
        """The form, with the address that was typed."""
        browser, kept = await self.flow.kept(post.browser, post.form.get("flow"))
        identifier = post.form.get("identifier", "")
        return self._page(
            browser,
            kept.id if kept else None,
            identifier,
            only_identifier="password" not in post.form and self._routing,
            problem=post.problem,
        )

    async def answer(self, post: PagePost) -> Response:
        """Sign in with e-mail address and password. Raises `HashingBusy`."""
        identifier, password = post.form.get("identifier", ""), post.form.get("password", "")
        if "password" not in post.form and self._routing:
            return await self._address_first(post, identifier)
        if (routed := self.flow.routes.only(identifier)) is not None:
            browser, begun = await self.flow.current(post.browser, post.form.get("flow"))
            return elsewhere(browser, begun.id if begun else None, routed, identifier)
        if not identifier.strip() or not password:
            browser, begun = await self.flow.current(post.browser, post.form.get("flow"))
            return self._page(
                browser,
                begun.id if begun else None,
                identifier,
                identifier_problem=None if identifier.strip() else FormProblem(Wrong.IDENTIFIER_MISSING),
                password_problem=None if password else FormProblem(Wrong.PASSWORD_MISSING),
            )
        sign_in = await self.flow.load(post.browser, post.form.get("flow"))
        browser = await self.flow.for_app_of(post.browser, sign_in)
        outcome = await self.prove_password.prove(
            sign_in, identifier, Secret(password), caller=browser.caller, now=browser.now
        )
        if not isinstance(outcome, OAuthError):
            browser.remember_used("password")
            return await self.flow.follow_proof(browser, outcome)
        if isinstance(outcome, AddressRequired) and outcome.person is not None:
            return await address_first(self.addresses, browser, sign_in, outcome.person)
        if outcome.code == "invalid_session":
            return await self.flow.load_and_follow(browser, sign_in.id)
        if outcome.code == "too_many_attempts":
            problem = FormProblem(Wrong.TOO_MANY_TRIES, at=outcome.retry_at)
        else:
            said = self.prove_password.problems.get(outcome.description)
            problem = FormProblem(said or Wrong.CREDENTIALS)
        return self._page(browser, sign_in.id, identifier, problem=problem)

    @property
    def _routing(self) -> bool:
        return bool(self.flow.routes.by_domain)

    async def _address_first(self, post: PagePost, identifier: str) -> Response:
        """After the page that asks for the address alone: to the provider of its domain, or to the password. Which one depends on the
        domain and on nothing else (R80)."""
        if (routed := self.flow.routes.of(identifier)) is not None:
            sign_in = await self.flow.load(post.browser, post.form.get("flow"))
            return await lead(
                self.flow, await self.flow.for_app_of(post.browser, sign_in), sign_in, routed, identifier
            )
        browser, begun = await self.flow.current(post.browser, post.form.get("flow"))
        missing = None if identifier.strip() else FormProblem(Wrong.IDENTIFIER_MISSING)
        flow = begun.id if begun else None
        return self._page(
            browser, flow, identifier, only_identifier=missing is not None, identifier_problem=missing
        )

    async def _just_reset(self, browser: BrowserContext, query: Mapping[str, str]) -> str | None:
        ticket_id = ticket_of(query)
        if ticket_id is None or "reset" not in query:
            return None
        found = [await reset(ticket_id, browser.browser_hash) for reset in self.resets]
        return next((email for email in found if email is not None), None)

    def _page(
        self,
        browser: BrowserContext,
        flow: str | None,
        identifier: str,
        *,
        password_reset: bool = False,
        only_identifier: bool = False,
        **problems: FormProblem | None,
    ) -> Response:
        others, offers = self.flow.first_besides(PATH, browser, flow)
        providers = used_last_first(self.flow.buttons(), browser.used_last)
        view = views.SignInView(
            flow=flow,
            identifier=identifier[:254],
            names=self.prove_password.takes_names,
            last_used=PROVIDER if is_used(providers, browser.used_last) else browser.used_last,
            password_reset=password_reset,
            only_identifier=only_identifier,
            offers=offers,
            # the page behind this link has the same buttons
            others=tuple(way for way in others if not (providers and way.path == PROVIDER_PATH)),
            providers=providers,
            **problems,
        )
        return page(view, browser)

    def routes(self, pages: BrowserPages) -> list[Route]:
        """Routes of the page and its form."""
        return [
            pages.get(PATH, self.ask, takes="flow prompt restart with"),
            pages.post(PATH, self.answer, refused=self.ask_again, takes="flow identifier password"),
        ]
