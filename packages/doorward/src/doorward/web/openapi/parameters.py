"""Meaning of request parameters by name, for the OpenAPI document.

Specifications register such a name once for all endpoints (IANA, OAuth Parameters), so one entry serves every operation with this
parameter. A name without an entry is a plain text; an operation may add details in its `shapes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_MEANINGS: Final = {
    "access_token": "RFC 6750 §2.2",
    "acr_values": "Space-separated, the most wanted first.",
    "after": "The cursor of the last answer.",
    "auth_session": "From the last answer; without it a new sign-in begins.",
    "claims": "JSON, OpenID Connect Core §5.5",
    "client_assertion": "private_key_jwt, RFC 7523 §2.2",
    "client_id": "The app.",
    "client_secret": "client_secret_post",
    "code": "The authorization code; in a JSON sign-in a code of the authenticator app, or a recovery code.",
    "code_challenge": "RFC 7636 §4.2",
    "code_verifier": "RFC 7636 §4.1",
    "id_token_hint": "An ID token that this server issued; at /logout that of the session to end.",
    "login_hint": "The address that the sign-in page begins with.",
    "logout_hint": "Who is to be signed out.",
    "max_age": "Seconds since the last sign-in.",
    "method": "In a JSON sign-in the factor that the code is of: a `method` of `acceptable`.",
    "nonce": "OpenID Connect Core §3.1.2.1",
    "password": "The password of `username`.",
    "post_logout_redirect_uri": "Exactly one of the registered ones.",
    "prompt": "none, login, consent or select_account, space-separated.",
    "redirect_uri": "Exactly one of the registered ones; with a code, that of the authorization request.",
    "refresh_token": "With grant_type=refresh_token.",
    "resource": "The API that the token is for, RFC 8707",
    "scope": "Space-separated: OpenID Connect scopes and permissions of one API. To refresh: the same or less.",
    "send": "In a JSON sign-in the `method` of which a code is to be sent.",
    "state": "Returned unchanged.",
    "token": "An access token or a refresh token.",
    "token_type_hint": "access_token or refresh_token",
    "ui_locales": "Languages, the most wanted first.",
    "username": "An e-mail address.",
    "If-None-Match": "The ETag of the caller's copy.",
    "v": "2: ids are hidden, and a long view comes in pages.",
    "wait": "Seconds to hold the answer back until there is news.",
    "X-CSRF-Token": "The csrf_token that came with the cookies.",
}
_LIMITS: Final[dict[str, dict[str, Any]]] = {
    "client_assertion_type": {"const": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
    "code_challenge_method": {"enum": ["S256"]},
    "code_verifier": {"minLength": 43, "maxLength": 128},
    "display": {"enum": ["page", "popup", "touch", "wap"]},
    "max_age": {"pattern": "^[0-9]+$"},
    "response_mode": {"enum": ["query", "form_post"]},
    "response_type": {"enum": ["code"]},
}


def member(name: str, shape: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema of one parameter; `shape` adds the details of its operation."""
    said = {"description": _MEANINGS[name]} if name in _MEANINGS else {}
    return {"type": "string", **said, **_LIMITS.get(name, {}), **shape}
