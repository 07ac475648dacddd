"""PKCE check: binding of the request to the client that sent it (RFC 7636 §4, OAuth 2.1 §4.1.1)."""

from __future__ import annotations

import re
from shlex import quote
from typing import Final, assert_never

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client, Pkce

# the base64url of a SHA-256 always has 43 characters
_S256: Final = re.compile(r"[A-Za-z0-9\-_]{43}")


def challenge(
    client: Client, *, code_challenge: str | None, method: str | None, openid: bool, nonce: str | None
) -> str | OAuthError | None:
    """The S256 challenge of the request, or None where a confidential app may omit it: with a nonce, which the app has to check (RFC
    9700 §2.1.1), or, if an operator chose so, without either. `plain`, also by omission of the method, is refused (R4). The reason
    in the log names the command that permits such a client."""
    if code_challenge is None:
        if method is not None:
            return OAuthError("invalid_request", "code_challenge_method needs a code_challenge.")
        return _without(client, nonce=openid and bool(nonce))
    if method != "S256":
        return OAuthError(
            "invalid_request", "code_challenge_method must be S256.", f"code_challenge_method={method!r}"
        )
    if not _S256.fullmatch(code_challenge):
        return OAuthError(
            "invalid_request", "code_challenge is not a base64url SHA-256 value of 43 characters."
        )
    return code_challenge


def _without(client: Client, *, nonce: bool) -> OAuthError | None:
    if client.confidential and _may_be_left_out(client.pkce, nonce=nonce):
        return None
    said, sent = "code_challenge is required, with code_challenge_method=S256.", "no code_challenge"
    if not client.confidential:
        return OAuthError(
            "invalid_request", said, f"app {client.name!r} sent {sent}; a public app always uses PKCE"
        )
    if client.pkce == "or_nonce":
        said = "Without code_challenge this app must send scope openid and a nonce."
    # The weaker setting is suggested only if the client sends no nonce.
    better = "or_nonce" if nonce else "optional"
    sent = f"{sent}, but a nonce" if nonce else f"{sent} and no nonce with scope openid"
    return OAuthError(
        "invalid_request",
        said,
        f"app {client.name!r} sent {sent}",
        fix=f"have the client send PKCE; if it cannot, doorward app set {quote(client.name)} --pkce {better}",
    )


def _may_be_left_out(pkce: Pkce, *, nonce: bool) -> bool:
    match pkce:
        case "required":
            return False
        case "or_nonce":
            return nonce
        case "optional":
            return True
        case _:
            assert_never(pkce)
