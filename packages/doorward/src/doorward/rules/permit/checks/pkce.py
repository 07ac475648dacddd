"""Is the request bound to the one who began it? (RFC 7636 §4, OAuth 2.1 §4.1.1)"""

from __future__ import annotations

import re
from typing import Final

from doorward.model.client import Client
from doorward.model.refusal import Refusal

# base64url of a SHA-256 has 43 characters, always.
_S256: Final = re.compile(r"[A-Za-z0-9\-_]{43}")


def challenge(
    client: Client, *, code_challenge: str | None, method: str | None, openid: bool, nonce: str | None
) -> str | Refusal | None:
    """The S256 challenge of the request, or None for the one kind of app that may go without: confidential, registered so,
    and protected by a nonce (RFC 9700 §2.1.1). `plain`, also by omission of the method, is refused (line 4)."""
    if code_challenge is None:
        if method is not None:
            return Refusal("invalid_request", "code_challenge_method needs a code_challenge.")
        if client.confidential and not client.pkce_required:
            if openid and nonce:
                return None
            return Refusal(
                "invalid_request",
                "Without code_challenge this app must send a nonce.",
                f"app {client.name!r} is registered without PKCE, so it needs scope openid and a nonce",
            )
        return Refusal("invalid_request", "code_challenge is required, with code_challenge_method=S256.")
    if method != "S256":
        return Refusal(
            "invalid_request", "code_challenge_method must be S256.", f"code_challenge_method={method!r}"
        )
    if not _S256.fullmatch(code_challenge):
        return Refusal("invalid_request", "code_challenge is not a base64url SHA-256 value of 43 characters.")
    return code_challenge
