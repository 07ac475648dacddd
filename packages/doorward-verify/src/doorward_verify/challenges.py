"""HTTP answers to refused requests: RFC 6750 §3, RFC 9728 §5.1 (`resource_metadata`), RFC 9470 §3 (step-up)."""

from typing import Final
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from doorward_verify.auth_error import AuthError
from doorward_verify.metadata import InvalidMetadata, check_url

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
RETRY_AFTER: Final = 5

_ERRORS: Final[dict[str, tuple[int, str]]] = {
    "no_token": (401, ""),
    "bad_request": (400, "invalid_request"),
    "csrf": (403, ""),
    "scope": (403, "insufficient_scope"),
    "roles": (403, "insufficient_scope"),
    "step_up": (401, "insufficient_user_authentication"),
    "keys_unavailable": (503, ""),
    "revocation_unavailable": (503, ""),
    "api_keys_unavailable": (503, ""),
}
_INVALID_TOKEN: Final = (401, "invalid_token")


class Challenge(Struct, frozen=True):
    """The answer to send: status, headers to add, and a body for JSON APIs."""

    status: int
    headers: dict[str, str]
    body: dict[str, str]


def challenge(refused: AuthError, resource_metadata: str | None) -> Challenge:
    """Build the answer to a refusal.

    Without credentials there is no error code, so that a client without a token learns only where to get one
    (RFC 6750 §3.1). A key that could not be fetched is a fault of the server side: 503, because 401 would
    make a good client sign in again.
    """
    status, error = _ERRORS.get(refused.reason, _INVALID_TOKEN)
    body = {"error": error or refused.reason, "error_description": refused.description}
    headers = {"Cache-Control": "no-store"}
    if status == 503:
        headers["Retry-After"] = str(RETRY_AFTER)
        return Challenge(
            status, headers, {"error": "temporarily_unavailable", "error_description": refused.description}
        )
    if refused.reason == "csrf":  # the token is good; a new one would not help
        return Challenge(status, headers, body)
    parameters: list[tuple[str, str]] = []
    if error:
        parameters += [("error", error), ("error_description", refused.description)]
    if refused.scopes:
        parameters.append(("scope", " ".join(refused.scopes)))
    if refused.acr_values:
        parameters.append(("acr_values", " ".join(refused.acr_values)))
    if refused.max_age is not None:
        parameters.append(("max_age", str(refused.max_age)))
    if resource_metadata is not None:
        parameters.append(("resource_metadata", resource_metadata))
    said = ", ".join(f'{name}="{_quotable(value)}"' for name, value in parameters)
    headers["WWW-Authenticate"] = f"Bearer {said}".rstrip()
    return Challenge(status, headers, body)


def metadata_path(resource: str) -> str:
    """Path of the resource's metadata: the well-known part comes before the resource's own path, RFC 9728 §3.1."""
    return WELL_KNOWN + urlsplit(resource).path.rstrip("/")


def metadata_paths(resource: str, location: str | None) -> tuple[str, ...]:
    """The paths at which clients look for the metadata of `resource`, whose challenges name `location`: that one first.

    RFC 9728 §3.1 removes only the slash after the host, and clients that build the address themselves keep or remove the
    one after a longer path.
    """
    named = urlsplit(location).path if location is not None else WELL_KNOWN
    slash = resource.endswith("/") and metadata_location(resource) == location
    return (named, f"{named}/") if slash and named != WELL_KNOWN else (named,)


def metadata_location(resource: str) -> str | None:
    """URL of the resource's metadata, or None when the audience is a name and not a URL."""
    try:
        check_url(resource)
    except InvalidMetadata:
        return None
    parts = urlsplit(resource)
    return urlunsplit((parts.scheme, parts.netloc, metadata_path(resource), parts.query, ""))


def protected_resource(
    resource: str, issuer: str, scopes: tuple[str, ...], name: str | None = None
) -> dict[str, object]:
    """The metadata of a protected resource, RFC 9728 §2. `resource` is the audience, character for character (§3.3);
    `name` is what clients show to people."""
    document: dict[str, object] = {
        "resource": resource,
        "authorization_servers": [issuer],
        "bearer_methods_supported": ["header"],
    }
    if scopes:
        document["scopes_supported"] = list(scopes)
    if name is not None:
        document["resource_name"] = name
    return document


def _quotable(value: str) -> str:
    # RFC 6750 §3 allows neither quotes nor backslashes in these values, and a line break would start a new header
    return "".join(c for c in value if " " <= c <= "~" and c not in '"\\')
