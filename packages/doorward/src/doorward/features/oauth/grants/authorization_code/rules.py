"""Rules of the authorization code grant: a code is valid for one app, one redirect URI, one verifier, once (OAuth 2.1 §4.1.3, RFC 7636
§4.6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.grant import AuthorizationCode, Grant
from doorward_verify.encoding import b64url_encode

_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_BAD: Final = "The authorization code is invalid or has expired."


class Redeem(Struct, frozen=True):
    """Every check passed; the compare-and-swap that follows ensures that it is the first redemption."""

    grant: Grant


class Reused(Struct, frozen=True):
    """The code was redeemed before: the tokens it gave must end (RFC 6749 §4.1.2, R15)."""

    grant: Grant


def check(
    code: AuthorizationCode | None, grant: Grant | None, client: Client, form: Mapping[str, str], *, now: int
) -> Redeem | Reused | OAuthError:
    """Decide on a redemption. `code` and `grant` are the stored rows for the presented code."""
    if code is None or grant is None:
        return OAuthError("invalid_grant", _BAD, "no such code")
    if code.client_id != client.id or grant.client_id != client.id:
        return OAuthError("invalid_grant", _BAD, f"the code was given to app {code.client_id}")
    error = _redirect_uri(code, client, form.get("redirect_uri")) or _pkce(
        code, client, form.get("code_verifier")
    )
    if error is not None:
        return error
    # After the other checks: an attacker who only saw the code lacks the verifier, and must not be able to end the grant with it.
    if code.redeemed_at is not None:
        return Reused(grant)
    if now >= code.expires_at:
        return OAuthError("invalid_grant", _BAD, "the code has expired")
    if grant.ended_at is not None or now >= grant.expires_at:
        return OAuthError(
            "invalid_grant", _BAD, f"grant {grant.id} has ended ({grant.end_reason or 'expired'})"
        )
    return Redeem(grant)


def _redirect_uri(code: AuthorizationCode, client: Client, given: str | None) -> OAuthError | None:
    """R16: the code is bound to the redirect URI. OAuth 2.1 clients omit it, and PKCE replaces the binding (§10.2). If the
    authorization request omitted it, it must be the single registered one."""
    if given is None:
        if code.redirect_uri is None or code.code_challenge is not None:
            return None
        return OAuthError("invalid_grant", "redirect_uri is missing.")
    meant = (
        code.redirect_uri
        if code.redirect_uri is not None
        else client.redirect_uris[0]
        if len(client.redirect_uris) == 1
        else None
    )
    if given != meant:
        return OAuthError("invalid_grant", "redirect_uri is not the one of the authorization request.")
    return None


def _pkce(code: AuthorizationCode, client: Client, verifier: str | None) -> OAuthError | None:
    if code.code_challenge is None:
        if verifier is not None:
            # R5: an attacker removed the challenge from the authorization request (PKCE downgrade, RFC 9700 §4.8.2).
            return OAuthError(
                "invalid_grant", "code_verifier was sent, but the request had no code_challenge."
            )
        if not client.confidential:
            return OAuthError("invalid_grant", _BAD, "a public app's code without a challenge")
        return None
    if verifier is None:
        return OAuthError("invalid_grant", "code_verifier is missing.")
    if not _VERIFIER.fullmatch(verifier):
        return OAuthError(
            "invalid_request", "code_verifier must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~"
        )
    challenge = b64url_encode(sha256(verifier.encode()).digest())
    if not compare_digest(challenge.encode(), code.code_challenge.encode()):
        return OAuthError("invalid_grant", "code_verifier does not match the code_challenge.")
    return None
