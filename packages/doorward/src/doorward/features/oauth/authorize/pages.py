"""Pages at the end of a sign-in that an app started: consent, and the response to the app."""

from __future__ import annotations

from typing import final

from msgspec import Struct, structs

from doorward.core.model.auth_response import AuthResponse
from doorward.core.model.client import self_registered
from doorward.core.model.policy import TokenPolicy
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.refresh_life import refresh_life
from doorward.features.authn.flow.goals import no_recipient
from doorward.features.authn.flow.outcomes import AskConsent, AuthorizationError
from doorward.features.oauth.authorize.rules.weight import given_back
from doorward.features.oauth.consent.view import consent_view
from doorward.features.sessions.asked import state_of
from doorward.features.sessions.browser_context import BrowserContext
from doorward.web.http import Response, redirect
from doorward.web.page import page
from doorward.web.pages.views.ends import ErrorPage, Failure
from doorward.web.pages.views.flow import Continue, FormPost


@final
class AuthorizationPages(Struct, frozen=True, kw_only=True):
    """Pages to which `FlowPages` leads when all factors are shown."""

    config: ConfigSource
    tokens: TokenPolicy

    def deliver(self, browser: BrowserContext, response: AuthResponse, *, denied: bool) -> Response:
        """The authorization response in its mode.

        It is a 200 page that refreshes: browsers apply form-action to redirects after a POST, so this server's own policy would
        block a 303 to the app. A GET of one of our pages may be the target of such a redirect too; only a GET of /authorize comes
        from the app itself, and is answered by a redirect.
        """
        response = structs.replace(
            response, fields=given_back(response.fields, state_of(browser.asked or ""))
        )
        browser.forget_asked()
        if response.mode == "form_post":
            view = FormPost(url=response.target, fields=tuple(response.fields.items()), app=response.app_name)
            return page(view, browser)
        if browser.request.method == "POST" or browser.request.path != "/authorize":
            because = "denied" if denied else "signed_in"
            return page(Continue(url=response.url, app=response.app_name, because=because), browser)
        return redirect(response.url)

    async def refused(self, browser: BrowserContext, outcome: AuthorizationError) -> Response:
        """The page for a refusal whose app is not registered, or to which nobody may be led unasked."""
        request, error = outcome.sign_in.request, outcome.error
        if request is not None and self_registered(request.client_id) and error.code != "unauthorized_client":
            return page(ErrorPage(Failure.BAD_REQUEST, detail=error.description), browser, 400)
        return no_recipient(browser, outcome)

    def consent_page(self, browser: BrowserContext, asked: AskConsent) -> Response:
        """The consent page."""
        lasts = refresh_life(asked.client, self.tokens)
        return page(consent_view(asked, self.config.current(), lasts), browser.for_app(asked.client.name))
