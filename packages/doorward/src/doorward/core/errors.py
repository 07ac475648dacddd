"""A no, as a value: what the client may hear, and what the log must know."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, structs

RefusalCode = Literal[
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
]


class Refusal(Struct, frozen=True):
    """Why the answer is no. `code` is the specification's; `say` is safe to send to the client; `because` is for the log only.

    `because` may end in " Fix: …", what mends it. `app` is the app's name, for the log as well.
    `retry_at` (seconds since the epoch) is set when waiting helps. Neither text ever holds a secret.
    """

    code: RefusalCode
    say: str
    because: str = ""
    retry_at: int | None = None
    app: str = ""

    def to(self, app: str) -> Refusal:
        """The same, said to the app of this name."""
        return structs.replace(self, app=app)


class OperatorError(Exception):
    """What only the operator of the server can mend: what is wrong, and what to do about it. Neither text ever holds a secret."""

    def __init__(self, error: str, fix: str = "") -> None:
        self.error = error
        self.fix = fix
        super().__init__(f"{error} {fix}".strip())


class ComeBackLater(Exception):
    """This address asked for too much, and may ask again after so many `seconds` (RFC 6585 §4)."""

    def __init__(self, seconds: int) -> None:
        super().__init__("Please try again later.")
        self.seconds = max(1, seconds)


class StoreUnavailable(Exception):
    """The database does not answer; a face maps it to 503 with Retry-After."""


class StoreGone(StoreUnavailable):
    """The database must not be served any more, or not yet: its data is elsewhere. Nothing that is read there holds."""


class StoreConflict(Exception):
    """A change that can never be made as it stands (a second row of one id, a change of the audit record); nothing was written.
    What may happen in good use is a guard; this is a bug, or two APIs of one identifier."""


class HashingBusy(Exception):
    """More sign-ins are waiting than can be hashed in reasonable time; a face answers 503 with Retry-After."""
