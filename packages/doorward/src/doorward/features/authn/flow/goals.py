"""Choice among the goals of sign-ins, by the request that started each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.auth_response import AuthResponse
from doorward.core.model.caller import Caller
from doorward.core.model.request import AuthRequest
from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.goal import Permitted, ResponsePages
from doorward.features.authn.flow.outcomes import AskConsent, AuthorizationError
from doorward.features.authn.flow.plug import GoalPlug
from doorward.features.authn.flow.rules.assurance import Achieved
from doorward.features.sessions.browser_context import BrowserContext
from doorward.storage.sql.store import Write
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views.ends import ErrorPage, Failure, Way


def choice(plugs: Sequence[GoalPlug]) -> GoalChoice:
    """The goals of all features. Raises ValueError for a duplicate name, since one would silently replace the other, and unless exactly
    one answers apps through the browser."""
    found = {plug.name: plug for plug in plugs}
    if len(found) < len(plugs):
        raise ValueError(f"too many goals have one name: {', '.join(plug.name for plug in plugs)}")
    (responses,) = [plug.responses for plug in plugs if plug.responses is not None]
    return GoalChoice(plugs=found, responses=responses)


@final
class GoalChoice(Struct, frozen=True, kw_only=True):
    """Leads each sign-in to the goal that its request names."""

    plugs: Mapping[str, GoalPlug]
    responses: ResponsePages

    async def permit(
        self, sign_in: SignIn, account: Account, achieved: Achieved
    ) -> Permitted | AskConsent | AuthorizationError | None:
        """Whether the person may reach the goal of the sign-in. None: the goal is a page of this server."""
        if sign_in.request is None:
            return None
        return await self._of(sign_in.request).goals.permit(sign_in, account, achieved)

    async def deny(self, sign_in: SignIn, error: OAuthError) -> AuthorizationError:
        """The refusal as a response to the app, if there is an app to which the person may be redirected."""
        if sign_in.request is None:
            return AuthorizationError(sign_in, error, None)
        return await self._of(sign_in.request).goals.deny(sign_in, error)

    def declined(self, sign_in: SignIn, account: Account, *, caller: Caller, now: int) -> tuple[Write, ...]:
        """The writes when the person refuses, besides the end of the sign-in."""
        if sign_in.request is None:
            return ()
        return self._of(sign_in.request).goals.declined(sign_in, account, caller=caller, now=now)

    def consent_page(self, browser: BrowserContext, asked: AskConsent) -> Response:
        """The page that asks the person."""
        return self._of(asked.request).pages.consent_page(browser, asked)

    async def refused(self, browser: BrowserContext, outcome: AuthorizationError) -> Response:
        """The page for a refusal that no app gets."""
        request = outcome.sign_in.request
        if request is not None:
            return await self._of(request).pages.refused(browser, outcome)
        return no_recipient(browser, outcome)

    def deliver(self, browser: BrowserContext, response: AuthResponse, *, denied: bool) -> Response:
        """The response to the app."""
        return self.responses.deliver(browser, response, denied=denied)

    def _of(self, request: AuthRequest) -> GoalPlug:
        return self.plugs[request.goal]


def no_recipient(browser: BrowserContext, outcome: AuthorizationError) -> Response:
    """The page for a refusal whose app is not registered."""
    ways = (Way.HOME, Way.ACCOUNT)
    return page(ErrorPage(Failure.UNKNOWN_APP, detail=outcome.error.description, ways=ways), browser, 400)
