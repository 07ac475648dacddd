"""Validated authorization request."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct, field

from doorward.core.model.client import ResponseMode

CODE: Final = "code"
DEVICE: Final = "device"
"""Goals of sign-ins that requests start: a code for an app, an answer for a device."""

NO_REDIRECT: Final = "urn:doorward:device:"
"""The beginning of the `redirect_uri` of a device's request. It is stored and never changes."""


class AuthRequest(Struct, frozen=True, kw_only=True):
    """Made only by `features/oauth/authorize/rules/`, so that an instance proves that all checks passed (OAuth 2.1
    §4.1.1, OpenID Connect Core §3.1.2.1).

    `scopes` is what the app may request (the person not yet considered); `audience` is the one API identifier or the
    issuer. `claims` is the parsed `claims` parameter (§5.5); `dpop_jkt` stays None until sender-constrained tokens are
    supported. In a device's request (RFC 8628) `redirect_uri` is `NO_REDIRECT` and the id of that request: the stored
    document has the members that it always had, and a program that does not know of devices refuses it, since no app can
    register such a URI.
    """

    client_id: str
    redirect_uri: str
    response_mode: ResponseMode
    scopes: tuple[str, ...]
    audience: str
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    acr_essential: bool = False
    login_hint: str | None = None
    hint_subject: str | None = None
    ui_locales: tuple[str, ...] = ()
    display: str = "page"
    claims: dict[str, Any] = field(default_factory=dict)
    redirect_uri_given: bool = True

    @property
    def device(self) -> str | None:
        """The id of the device's request; None: the answer goes to `redirect_uri`."""
        rest = self.redirect_uri.removeprefix(NO_REDIRECT)
        return rest if rest != self.redirect_uri else None

    @property
    def goal(self) -> str:
        """The name of the goal of its sign-in (`features/authn/flow/goals.py`)."""
        return CODE if self.device is None else DEVICE
