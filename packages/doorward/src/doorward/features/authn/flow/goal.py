"""Ports for the goal of a sign-in besides the session, such as the code for an app, and for its pages."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.auth_response import AuthResponse
from doorward.core.model.caller import Caller
from doorward.core.model.session import Session
from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.outcomes import AskConsent, AuthorizationError
from doorward.features.authn.flow.rules.assurance import Achieved
from doorward.features.sessions.browser_context import BrowserContext
from doorward.storage.sql.store import Write
from doorward.web.http import Response


class Reached(Struct, frozen=True):
    """The result of a goal at the end of a sign-in: the writes, and the response to the app with its code."""

    writes: tuple[Write, ...] = ()
    response: AuthResponse | None = None
    code: str | None = None


class Permitted(Protocol):
    """A goal that the person is allowed to reach."""

    @property
    def app_name(self) -> str | None:
        """The app that started the sign-in, if there is one."""
        ...

    async def reach(
        self, sign_in: SignIn, session: Session, achieved: Achieved, *, caller: Caller, now: int
    ) -> Reached:
        """The writes and the response; nothing is committed here."""
        ...


class SignInGoals(Protocol):
    """The goals of sign-ins other than to the account pages."""

    async def permit(
        self, sign_in: SignIn, account: Account, achieved: Achieved
    ) -> Permitted | AskConsent | AuthorizationError | None:
        """Whether the person may reach the goal of the sign-in. None: the goal is a page of this server."""
        ...

    async def deny(self, sign_in: SignIn, error: OAuthError) -> AuthorizationError:
        """The refusal as a response to the app."""
        ...

    def declined(self, sign_in: SignIn, account: Account, *, caller: Caller, now: int) -> tuple[Write, ...]:
        """The writes when the person refuses, besides the end of the sign-in."""
        ...


class DecisionPages(Protocol):
    """Pages for the goal of a sign-in that an app or a device started; supplied by a feature above the flow."""

    def consent_page(self, browser: BrowserContext, asked: AskConsent) -> Response:
        """The page that asks the person."""
        ...

    async def refused(self, browser: BrowserContext, outcome: AuthorizationError) -> Response:
        """The page for a refusal that no app gets."""
        ...


class ResponsePages(Protocol):
    """Pages that send a person back to the app that started the sign-in."""

    def deliver(self, browser: BrowserContext, response: AuthResponse, *, denied: bool) -> Response:
        """The response to the app."""
        ...


class GoalPages(DecisionPages, ResponsePages, Protocol):
    """Both, for all goals."""
