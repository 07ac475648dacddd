"""Outcomes of a step of a sign-in."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.errors import Refusal
from doorward.core.model.account import Account
from doorward.core.model.auth_response import AuthResponse
from doorward.core.model.client import Client
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Session
from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.factor import Factor


class FactorRequired(Struct, frozen=True):
    """The person has something to show first: any one of `acceptable`, the preferred one first."""

    sign_in: SignIn
    acceptable: tuple[Factor, ...]


class AskConsent(Struct, frozen=True):
    """The person has to say whether the app may have `scopes`.

    `by_name` are scopes that were not asked for, but of which the request's `claims` parameter names a claim.
    """

    sign_in: SignIn
    account: Account
    client: Client
    request: AuthRequest
    scopes: tuple[str, ...]
    by_name: tuple[str, ...] = ()


class Finished(Struct, frozen=True):
    """Signed in. `response` carries the code to the app (None: a sign-in to the account pages).

    `session_secret` is the new value of the session's cookie, `device_secret` one more of the device's, when there are any; they exist
    nowhere else.
    """

    sign_in: SignIn
    account: Account
    session: Session
    response: AuthResponse | None
    code: str | None = None
    session_secret: str | None = None
    device_secret: str | None = None


class Denied(Struct, frozen=True):
    """The app hears no. Without `response` there is nowhere to say it: no app asked, or it is no longer registered."""

    sign_in: SignIn
    refusal: Refusal
    response: AuthResponse | None


class Stale(Struct, frozen=True):
    """Another request took this step already: what is stored now decides."""

    sign_in: SignIn


Next = FactorRequired | AskConsent | Finished | Denied | Stale
