"""Outcomes of a step of a sign-in."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.auth_response import AuthResponse
from doorward.core.model.client import Client
from doorward.core.model.device_authorization import DeviceAuthorization
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Session
from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.factor import Factor
from doorward.features.authn.flow.rules.policy import Reason


class FactorRequired(Struct, frozen=True):
    """The person has to show a factor first: any one of `acceptable`, in order of preference."""

    sign_in: SignIn
    acceptable: tuple[Factor, ...]


class EnrolmentRequired(Struct, frozen=True):
    """The person has to set up a second factor first, one of `kinds`; `because` says who demands it. Until `grace_until` (seconds) it
    may be put off. `rows` are the factors that they have, none of which is enough."""

    sign_in: SignIn
    account: Account
    kinds: frozenset[str]
    because: Reason
    grace_until: int | None
    rows: Sequence[EnrolledFactor] = ()


class AskConsent(Struct, frozen=True):
    """The person has to decide whether the app may have `scopes`.

    `by_name` are scopes that were not requested, but contain a claim named in the request's `claims` parameter. `device` is the request
    of the device that the answer goes to, if there is one.
    """

    sign_in: SignIn
    account: Account
    client: Client
    request: AuthRequest
    scopes: tuple[str, ...]
    by_name: tuple[str, ...] = ()
    device: DeviceAuthorization | None = None


class Finished(Struct, frozen=True):
    """The sign-in is complete. `response` carries the code to the app (None: a sign-in to the account pages).

    `session_secret` and `device_secret` are new values for the session and device cookies, if there are any; they are stored nowhere
    in clear text.
    """

    sign_in: SignIn
    account: Account
    session: Session
    response: AuthResponse | None
    code: str | None = None
    session_secret: str | None = None
    device_secret: str | None = None
    trust: str | None = None
    """The new value of the cookie of remembered devices, if there is one."""


class AuthorizationError(Struct, frozen=True):
    """The app gets a refusal. Without `response` there is no recipient: no app started the sign-in, or it is no longer registered."""

    sign_in: SignIn
    error: OAuthError
    response: AuthResponse | None


class Conflict(Struct, frozen=True):
    """A concurrent request took this step already; the stored state decides."""

    sign_in: SignIn


Next = FactorRequired | EnrolmentRequired | AskConsent | Finished | AuthorizationError | Conflict
