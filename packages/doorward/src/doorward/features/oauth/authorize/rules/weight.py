"""Weight of a begun sign-in: the bytes that are stored of texts that are the app's, or whoever sent somebody here, to choose."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import structs

from doorward.core.errors import Refusal
from doorward.core.model.request import AuthRequest

MOST_KEPT: Final = 8192
"""Bytes for somebody who is signed in."""

MOST_OF_STRANGER: Final = 1024
"""Bytes before anybody is known: with what is registered (redirect URI, scopes, API) and our own part, a row has at most 2 kB.

What clients send: mod_auth_openidc, Spring, oidc-client-ts, openid-client, passport and AppAuth have 60 to 150 bytes of state and
nonce, Auth.js some 400 (its state is encrypted JSON), a `claims` parameter with a dozen names 200 to 600. A long one is a `state` that
holds the address to return to, as oauth2-proxy's and express-openid-connect's do: that one text need not lie here (`for_stranger`).
"""

_MARK: Final = "dw_state_"


def weight(request: AuthRequest) -> int:
    """Bytes of the texts that come with the request."""
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


def too_heavy(most: int) -> Refusal:
    """For the app that sends more; it hears which texts, and what helps."""
    return Refusal(
        "invalid_request",
        f"state, nonce, login_hint, claims, acr_values and ui_locales together may have no more than {most} bytes as JSON.",
        "the request is too long to keep. Fix: the app keeps what it needs afterwards itself, and sends a short state that names it",
    )


def for_stranger(request: AuthRequest, *, carried: bool) -> AuthRequest | Refusal:
    """The request as it is kept while nobody is known. A long `state` may stay in the browser (`carried`): it is opaque to us and only
    given back (OAuth 2.1 §4.1.2), so that its digest is enough."""
    if weight(request) <= MOST_OF_STRANGER:
        return request
    if carried and request.state is not None:
        request = structs.replace(request, state=_mark(request.state))
    return request if weight(request) <= MOST_OF_STRANGER else too_heavy(MOST_OF_STRANGER)


def given_back(fields: Mapping[str, str], carried: str | None) -> dict[str, str]:
    """The fields of an answer to the app, with the `state` that was carried by the browser in place of its digest."""
    state = fields.get("state")
    if state is None or carried is None or state != _mark(carried):
        return dict(fields)
    return {name: carried if name == "state" else value for name, value in fields.items()}


def _mark(state: str) -> str:
    hashed = hashlib.sha256(state.encode("utf-8", "surrogatepass")).digest()
    return _MARK + urlsafe_b64encode(hashed).rstrip(b"=").decode()
