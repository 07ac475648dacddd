"""Size limit of a stored sign-in: the bytes of texts chosen by the app, or by an attacker who sends people here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.core.model.request import AuthRequest
from doorward_verify.encoding import b64url_encode

MOST_KEPT: Final = 8192
"""Bytes with a session."""

MOST_OF_STRANGER: Final = 1024
"""Bytes without a session: with the registered values (redirect URI, scopes, API) and the server's own part, a row has at most 2 kB.

What clients send: mod_auth_openidc, Spring, oidc-client-ts, openid-client, passport and AppAuth have 60 to 150 bytes of state and
nonce, Auth.js about 400 (its state is encrypted JSON), a `claims` parameter with a dozen names 200 to 600. Longer requests have a
`state` that contains a return URL, as in oauth2-proxy and express-openid-connect; that text can stay in the browser
(`for_stranger`).
"""

_MARK: Final = "dw_state_"


def weight(request: AuthRequest) -> int:
    """Bytes of the free texts of the request."""
    texts = (
        request.state,
        request.nonce,
        request.login_hint,
        request.hint_subject,
        request.acr_values,
        request.ui_locales,
        request.claims,
    )
    return sum(len(msgspec.json.encode(text)) for text in texts if text)


def too_heavy(most: int) -> OAuthError:
    """The refusal for a request that is too long; it names the parameters and the solution."""
    return OAuthError(
        "invalid_request",
        f"state, nonce, login_hint, claims, acr_values and ui_locales together may have no more than {most} bytes as JSON.",
        "the request is too long to keep",
        fix="the app keeps what it needs afterwards itself, and sends a short state that names it",
    )


def for_stranger(request: AuthRequest, *, carried: bool) -> AuthRequest | OAuthError:
    """The request as stored without a session. A long `state` may stay in the browser (`carried`): it is opaque to this server and only
    returned (OAuth 2.1 §4.1.2), so its digest is enough."""
    if weight(request) <= MOST_OF_STRANGER:
        return request
    if carried and request.state is not None:
        request = structs.replace(request, state=_mark(request.state))
    return request if weight(request) <= MOST_OF_STRANGER else too_heavy(MOST_OF_STRANGER)


def given_back(fields: Mapping[str, str], carried: str | None) -> dict[str, str]:
    """The fields of a response to the app, with the `state` from the browser in place of its digest."""
    state = fields.get("state")
    if state is None or carried is None or state != _mark(carried):
        return dict(fields)
    return {name: carried if name == "state" else value for name, value in fields.items()}


def _mark(state: str) -> str:
    hashed = hashlib.sha256(state.encode("utf-8", "surrogatepass")).digest()
    return _MARK + b64url_encode(hashed)
