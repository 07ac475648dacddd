"""Refusals and errors: what may be sent to the client, and what goes to the log."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, structs

OAuthErrorCode = Literal[
    # RFC 6749 §4.1.2.1 and §5.2, RFC 8707 §2, OpenID Connect Core §3.1.2.6, RFC 9470 §3, RFC 6750 §3.1
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "unsupported_token_type",
    "invalid_scope",
    "invalid_target",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
    "login_required",
    "consent_required",
    "interaction_required",
    "account_selection_required",
    "request_not_supported",
    "request_uri_not_supported",
    "unmet_authentication_requirements",
    "insufficient_user_authentication",
    "invalid_token",
    "insufficient_scope",
    # OAuth 2.0 for First-Party Applications §5.2
    "insufficient_authorization",
    "invalid_session",
    "too_many_attempts",
    "redirect_to_web",
    # RFC 8628 §3.5
    "authorization_pending",
    "slow_down",
    "expired_token",
    # RFC 7591 §3.2.2
    "invalid_redirect_uri",
    "invalid_client_metadata",
]


class OAuthError(Struct, frozen=True):
    """A refused request. `code` is the specification's; `description` is safe to send to the client; `reason` is for the
    log only.

    `fix` is the advice to the operator, for the log too. It is a field of its own because `reason` may quote the request, and operators
    paste commands from `fix` into a shell: what a request sent is shell-quoted there. `app` is the app's name, for the log too.
    `retry_at` (seconds since the epoch) is set when waiting helps. No text ever holds a secret.
    """

    code: OAuthErrorCode
    description: str
    reason: str = ""
    retry_at: int | None = None
    app: str = ""
    fix: str = ""

    def to(self, app: str) -> OAuthError:
        """The same error, for the app of this name."""
        return structs.replace(self, app=app)


class OperatorError(Exception):
    """An error that only the operator of the server can fix: the problem and the advice. Neither text ever holds a
    secret."""

    def __init__(self, error: str, fix: str = "") -> None:
        self.error = error
        self.fix = fix
        super().__init__(f"{error} {fix}".strip())


class ComeBackLater(Exception):
    """This address sent too many requests, and may try again after `seconds` (RFC 6585 §4)."""

    def __init__(self, seconds: int) -> None:
        super().__init__("Please try again later.")
        self.seconds = max(1, seconds)


class StoreUnavailable(Exception):
    """The database does not answer; the HTTP layer maps it to 503 with Retry-After."""


class StoreGone(StoreUnavailable):
    """The database must not be served: its data is elsewhere, or not complete yet. Nothing read from it is valid."""


class StoreConflict(Exception):
    """A change that can never be made (a second row with one id, a change of the audit log); nothing was written.
    Conflicts that may occur in normal use are guards; this is a bug, or two APIs with one identifier."""


class HashingBusy(Exception):
    """More sign-ins are waiting than can be hashed in reasonable time; the HTTP layer answers 503 with Retry-After."""


class KeysUnavailable(Exception):
    """The keys of another issuer cannot be had. The text is safe to log."""
