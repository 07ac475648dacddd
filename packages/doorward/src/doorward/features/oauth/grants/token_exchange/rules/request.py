"""Form of a token exchange: which tokens are presented, and what is asked for them (RFC 8693 §2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.features.oauth.tokens.rules import id_jag

_URN: Final = "urn:ietf:params:oauth:token-type:"
ACCESS_TOKEN: Final = _URN + "access_token"
JWT: Final = _URN + "jwt"
REFRESH_TOKEN: Final = _URN + "refresh_token"
ID_TOKEN: Final = _URN + "id_token"

SubjectKind = Literal["access_token", "refresh_token", "id_token"]
_SUBJECTS: Final[Mapping[str, SubjectKind]] = {
    ACCESS_TOKEN: "access_token",
    JWT: "access_token",
    REFRESH_TOKEN: "refresh_token",
    ID_TOKEN: "id_token",
}
_ACTORS: Final = (ACCESS_TOKEN, JWT)
_ISSUED: Final = (ACCESS_TOKEN, JWT, id_jag.TOKEN_TYPE)

PARAMETERS: Final = (
    "subject_token",
    "subject_token_type",
    "actor_token",
    "actor_token_type",
    "requested_token_type",
    "audience",
    "resource",
    "scope",
)


class ExchangeRequest(Struct, frozen=True, kw_only=True):
    """A form whose parameters go together. `issued` is the type of the token that is asked for."""

    subject_token: str
    subject: SubjectKind
    issued: str
    actor_token: str | None
    audience: str | None
    resource: str | None
    scope: str | None

    @property
    def assertion(self) -> bool:
        """Whether an ID-JAG is asked for, which another server exchanges for its own token."""
        return self.issued == id_jag.TOKEN_TYPE

    def __repr__(self) -> str:
        return "ExchangeRequest(***)"


def parse(form: Mapping[str, str]) -> ExchangeRequest | OAuthError:
    """Check the parameters for themselves; the tokens are not read yet.

    An ID token speaks to its app about a person, and gives no access: it is exchanged for an ID-JAG only. An access token was made for
    an API, and whoever that API is could take it to another server, so no ID-JAG is made from it.
    """
    token, type_ = form.get("subject_token"), form.get("subject_token_type")
    if not token:
        return OAuthError("invalid_request", "subject_token is missing.")
    if not type_:
        return OAuthError("invalid_request", "subject_token_type is missing.")
    subject = _SUBJECTS.get(type_)
    if subject is None:
        return _unsupported("subject_token_type", type_, tuple(_SUBJECTS))
    actor, actor_type = form.get("actor_token"), form.get("actor_token_type")
    if (actor is None) != (actor_type is None):
        return OAuthError("invalid_request", "Send actor_token and actor_token_type together, or neither.")
    if actor_type is not None and actor_type not in _ACTORS:
        return _unsupported("actor_token_type", actor_type, _ACTORS)
    issued = form.get("requested_token_type", ACCESS_TOKEN)
    if issued not in _ISSUED:
        return _unsupported("requested_token_type", issued, _ISSUED)
    if issued == id_jag.TOKEN_TYPE:
        if subject == "access_token":
            return OAuthError("invalid_request", "An ID-JAG is made from an ID token or a refresh token.")
        if actor is not None:
            return OAuthError("invalid_request", "An ID-JAG is made without an actor_token.")
    elif subject == "id_token":
        # R39: an ID token gives no access, in whatever name it comes
        return OAuthError("invalid_request", "An ID token is exchanged for an ID-JAG only.")
    return ExchangeRequest(
        subject_token=token,
        subject=subject,
        issued=issued,
        actor_token=actor,
        audience=form.get("audience"),
        resource=form.get("resource"),
        scope=form.get("scope"),
    )


def _unsupported(parameter: str, value: str, known: tuple[str, ...]) -> OAuthError:
    return OAuthError(
        "invalid_request",
        f"This {parameter} is not supported.",
        f"{parameter}={value[:100]!r}; supported: {', '.join(known)}",
    )
