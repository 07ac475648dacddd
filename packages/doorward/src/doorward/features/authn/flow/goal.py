"""Goal of a sign-in, as a port: what it is for, beyond a session. An app's code, or a page of ours."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from doorward.core.errors import Refusal
from doorward.core.model.account import Account
from doorward.core.model.auth_response import AuthResponse
from doorward.core.model.caller import Caller
from doorward.core.model.session import Session
from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.outcomes import AskConsent, Denied
from doorward.features.authn.flow.rules.assurance import Achieved
from doorward.storage.sql.store import Write


class Reached(Struct, frozen=True):
    """What a goal gives when the sign-in ends: the writes, and the answer to the app with its code."""

    writes: tuple[Write, ...] = ()
    response: AuthResponse | None = None
    code: str | None = None


class Permitted(Protocol):
    """A goal that the person may reach."""

    @property
    def app_name(self) -> str | None:
        """The app that asked, if one did."""
        ...

    async def reach(
        self, sign_in: SignIn, session: Session, achieved: Achieved, *, caller: Caller, now: int
    ) -> Reached:
        """What is written and answered; nothing is committed here."""
        ...


class SignInGoals(Protocol):
    """The goals that sign-ins have beyond the account pages."""

    async def permit(
        self, sign_in: SignIn, account: Account, achieved: Achieved
    ) -> Permitted | AskConsent | Denied | None:
        """Whether the person may have what the sign-in is for. None: it is for a page of ours."""
        ...

    def deny(self, sign_in: SignIn, refusal: Refusal) -> Denied:
        """The refusal on its way to whoever asked."""
        ...
