"""Error of a token, or of a request that carries one, with its reasons."""

from typing import Final, Literal, final

Reason = Literal[
    "no_token",
    "bad_request",
    "csrf",
    "malformed",
    "encrypted",
    "unsigned",
    "algorithm",
    "critical",
    "type",
    "unknown_key",
    "signature",
    "claims",
    "issuer",
    "audience",
    "expired",
    "not_yet_valid",
    "sender_constrained",
    "revoked",
    "scope",
    "roles",
    "step_up",
    "keys_unavailable",
    "revocation_unavailable",
    "api_key",
    "api_keys_unavailable",
]

# The text that a client may see. The exact cause is in `detail`, for the API's own log.
DESCRIPTIONS: Final[dict[str, str]] = {
    "no_token": "This resource needs an access token.",
    "bad_request": "The request carries its access token in a way that cannot be read.",
    "csrf": "The request could not be shown to come from this site.",
    "encrypted": "Encrypted tokens are not accepted here.",
    "type": "The token is not an access token.",
    "audience": "The access token is meant for another resource.",
    "expired": "The access token has expired.",
    "not_yet_valid": "The access token is not valid yet.",
    "sender_constrained": "The access token is bound to a key and cannot be used as a bearer token.",
    "revoked": "The access token has been revoked.",
    "scope": "The access token lacks a scope that this resource needs.",
    "roles": "The access token lacks a role or permission that this resource needs.",
    "step_up": "A more recent or stronger sign-in is needed.",
    "keys_unavailable": "Access tokens cannot be checked right now.",
    "revocation_unavailable": "Access tokens cannot be checked right now.",
    "api_key": "The API key does not work here.",
    "api_keys_unavailable": "API keys cannot be checked right now.",
}

_NO_SCOPE_HELPS: Final = frozenset(
    {"bad_request", "csrf", "roles", "keys_unavailable", "revocation_unavailable", "api_keys_unavailable"}
)


@final
class AuthError(Exception):
    """The token or request is not accepted. The pure functions return it and `ResourceServer` raises it.

    `reason` is a stable word to branch on. `detail` is one sentence for logs and never contains any part of a token.
    `scopes`, `acr_values` and `max_age` (seconds) say what would have been sufficient, for the challenge.
    """

    __slots__ = ("acr_values", "detail", "max_age", "reason", "scopes")

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        *,
        scopes: tuple[str, ...] = (),
        acr_values: tuple[str, ...] = (),
        max_age: int | None = None,
    ) -> None:
        super().__init__(reason, detail)
        self.reason: Reason = reason
        self.detail = detail
        self.scopes = scopes
        self.acr_values = acr_values
        self.max_age = max_age

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason

    def asking_for(self, scopes: tuple[str, ...]) -> "AuthError":
        """The same refusal, whose challenge names these scopes too: all that the resource needs, so that a client asks once.

        Refusals that no token with more scopes would cure stay as they are.
        """
        if not scopes or self.reason in _NO_SCOPE_HELPS:
            return self
        asked = tuple(dict.fromkeys((*self.scopes, *scopes)))
        return AuthError(
            self.reason, self.detail, scopes=asked, acr_values=self.acr_values, max_age=self.max_age
        )

    @property
    def description(self) -> str:
        """The sentence that a client may see."""
        return DESCRIPTIONS.get(self.reason, "The access token is not valid.")
