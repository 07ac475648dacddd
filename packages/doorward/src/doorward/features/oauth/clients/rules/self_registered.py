"""Client metadata of an app that no operator registered: from JSON to a checked app (RFC 7591 §2, OpenID Connect Registration 1.0 §2,
draft-ietf-oauth-client-id-metadata-document).

What this server does not have is left out of the registration, as RFC 7591 §2 allows, except where the app would then be less protected
than it asked to be: that is refused. Logos, links and contacts are not kept: anybody could have this server or its pages fetch them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from msgspec import Struct, ValidationError, convert, structs

from doorward.core import text
from doorward.core.errors import OAuthError
from doorward.core.model.client import SECRET_METHODS, Client, RegisteredBy, SigningAlgorithm
from doorward.core.model.problem import Problem, ProblemCode
from doorward.features.oauth.authorize.rules.request import is_web
from doorward.features.oauth.clients.rules import registration
from doorward.features.oauth.clients.rules.private_schemes import names_one_of, place
from doorward.features.oauth.clients.rules.redirect_uri import on_this_device
from doorward.features.oauth.clients.rules.scope import OIDC_SCOPES

MOST_URIS: Final = 20
_LONGEST_NAME: Final = 400
DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
GRANTS: Final = ("authorization_code", "refresh_token", DEVICE_CODE)
"""Grants in which a person decides; no others are for apps that nobody here knows."""
ALGORITHMS: Final[tuple[SigningAlgorithm, ...]] = ("RS256", "ES256")
"""Algorithms for which there is always a key."""
_ENCRYPTED: Final = (
    "id_token_encrypted_response_alg",
    "userinfo_encrypted_response_alg",
    "introspection_encrypted_response_alg",
)

_TOLD: Final[Mapping[ProblemCode, str]] = {
    "uri_empty": "is empty",
    "uri_too_long": "is too long",
    "uri_character": "has a character that no URI has",
    "uri_fragment": "has a fragment, which a redirect would overwrite",
    "uri_relative": "is not absolute",
    "uri_scheme_forbidden": "has a scheme that is never permitted",
    "uri_scheme_undotted": "needs https, a scheme made of a domain backwards, as in com.example.app:/callback, or one that is permitted here",
    "uri_scheme_private": "has a private-use scheme, for which application_type has to be native",
    "uri_scheme_unslashed": "has a private-use scheme, which one slash follows",
    "uri_not_https": "needs https; http is for 127.0.0.1, [::1] and localhost",
    "uri_user_name": "has a user name in it",
    "uri_host_missing": "has nothing after its two slashes",
    "uri_host_character": "has a character in its host that no host name has",
    "uri_host_wildcard": "has a wildcard; addresses are compared exactly",
    "uri_dot_segment": "has a . or .. in its path",
    "redirect_uris_missing": "redirect_uris is missing",
    "jwks_missing": "private_key_jwt needs keys",
    "jwks_unusable": "A key cannot be used",
    "secret_on_device": "An app on people's devices can keep no secret: token_endpoint_auth_method has to be none",
    "refresh_without_code": "refresh_token needs authorization_code",
}


class ClientMetadata(Struct, frozen=True, kw_only=True):
    """The members that are read. All others are ignored (RFC 7591 §2)."""

    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    token_endpoint_auth_method: str | None = None
    grant_types: tuple[str, ...] | None = None
    response_types: tuple[str, ...] | None = None
    client_name: str | None = None
    application_type: str | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    scope: str | None = None
    id_token_signed_response_alg: str | None = None
    userinfo_signed_response_alg: str | None = None
    default_max_age: int | None = None
    subject_type: str | None = None
    sector_identifier_uri: str | None = None


def refused(reason: str, *, uri: bool = False) -> OAuthError:
    """The refusal of a registration (RFC 7591 §3.2.2). `reason` names members and values of the app itself, so it is told to it."""
    code = "invalid_redirect_uri" if uri else "invalid_client_metadata"
    return OAuthError(code, reason[:500], reason[:500])


def read(document: Mapping[str, Any]) -> ClientMetadata | OAuthError:
    """The members of a JSON object, each of the right type."""
    given = {name: value for name, value in document.items() if value is not None}
    try:
        return convert(given, ClientMetadata)
    except ValidationError as wrong:
        return refused(f"A member has the wrong type: {wrong}.")


def client_of(
    metadata: ClientMetadata,
    document: Mapping[str, Any],
    *,
    client_id: str,
    registered_by: RegisteredBy,
    methods: Collection[str],
    grants: Collection[str],
    now: int,
    schemes: Collection[str] = (),
) -> Client | OAuthError:
    """The app. `methods` are the permitted client authentication methods, `grants` the grants, `schemes` the private-use schemes without a domain; `now`
    is in seconds. Keys at a `jwks_uri` have been put into `jwks` before. A secret is not made here."""
    if (error := _unsupported(metadata, document)) is not None:
        return error
    native = _native(metadata, schemes)
    if isinstance(native, OAuthError):
        return native
    method = _method(metadata, native=native, methods=methods)
    if method not in methods:
        return refused(
            f"token_endpoint_auth_method {method!r} is not possible here; it can be {', '.join(methods)}."
        )
    asked = metadata.grant_types or ("authorization_code", "refresh_token")
    kept = tuple(name for name in dict.fromkeys(asked) if name in grants)
    if not {*kept} - {"refresh_token"}:
        return refused(f"None of the grant_types {', '.join(asked)[:200]} is for this app.")
    algorithm, userinfo = _algorithms(metadata)
    if algorithm not in ALGORITHMS or (userinfo is not None and userinfo not in ALGORITHMS):
        return refused(f"Signatures are possible with {', '.join(ALGORITHMS)}.")
    client = Client(
        id=client_id,
        name=_name(metadata, client_id),
        auth_method=method,
        auth_pinned=metadata.token_endpoint_auth_method in SECRET_METHODS,
        created_at=now,
        jwks=metadata.jwks if method == "private_key_jwt" else None,
        redirect_uris=tuple(dict.fromkeys(metadata.redirect_uris)),
        post_logout_redirect_uris=tuple(dict.fromkeys(metadata.post_logout_redirect_uris)),
        grant_types=kept,
        oidc_scopes=tuple(OIDC_SCOPES),
        default_max_age=metadata.default_max_age,
        id_token_signed_alg=algorithm,
        userinfo_signed_alg=userinfo,
        registered_by=registered_by,
        native=native,
    )
    if "authorization_code" not in kept:
        client = structs.replace(client, redirect_uris=())
    found = registration.client_problem(client, native=native, schemes=schemes)
    return client if found is None else problem_refused(found)


def problem_refused(problem: Problem) -> OAuthError:
    """The refusal for a problem of `registration.client_problem`, in words for the author of the app."""
    uri, told = problem.parameters.get("uri"), _TOLD.get(problem.code)
    if uri is not None:
        return refused(f"{uri} {told or 'cannot be an address of an app'} ({problem.code}).", uri=True)
    about = problem.parameters.get("reason")
    because = f": {about}" if about is not None else ""
    return refused(
        f"{told or 'The metadata cannot be registered'} ({problem.code}){because}.",
        uri=problem.code.startswith("redirect_uri"),
    )


def _unsupported(metadata: ClientMetadata, document: Mapping[str, Any]) -> OAuthError | None:
    answers = metadata.response_types
    # an app without redirects, such as a device, has none (RFC 7591 §2.1)
    codes = metadata.grant_types is None or "authorization_code" in metadata.grant_types
    if answers is not None and "code" not in answers and (codes or answers):
        return refused("response_types has to contain code.")
    if metadata.subject_type not in {None, "public"}:
        return refused("subject_type can be public alone.")
    if metadata.sector_identifier_uri is not None:
        # its list of redirect URIs would have to be fetched and compared (R62), for identifiers that there are not
        return refused("sector_identifier_uri is for pairwise subjects, which there are not here.")
    for name in _ENCRYPTED:
        if document.get(name) is not None:
            return refused(f"{name} is not possible here: nothing is encrypted for apps.")
    if metadata.jwks is not None and metadata.jwks_uri is not None:
        return refused("jwks and jwks_uri exclude each other.")
    for uris in (metadata.redirect_uris, metadata.post_logout_redirect_uris):
        if len(uris) > MOST_URIS:
            return refused(f"There are more than {MOST_URIS} addresses.", uri=True)
    return None


def _native(metadata: ClientMetadata, schemes: Collection[str]) -> bool | OAuthError:
    """Whether the app runs on people's devices. Without `application_type` it does if all its addresses are there, or one has a permitted
    scheme: Cursor registers its own with an https address and one at localhost, in one request and without a type."""
    kind, uris = metadata.application_type, metadata.redirect_uris
    if kind not in {None, "web", "native"}:
        return refused("application_type can be web or native.")
    if kind == "web":
        for uri in uris:
            if on_this_device(uri):
                return refused(
                    f"{uri}: an app whose application_type is web has https addresses; this one is native.",
                    uri=True,
                )
        return False
    if kind == "native" or names_one_of(uris, schemes):
        return True
    return bool(uris) and all(on_this_device(uri) or not is_web(uri) for uri in uris)


def _method(metadata: ClientMetadata, *, native: bool, methods: Collection[str]) -> str:
    """The given authentication method. Without one it is Basic (RFC 7591 §2), but `none` for an app on people's devices, which cannot keep a
    secret, and its keys for one that has keys and can have no secret."""
    if metadata.token_endpoint_auth_method is not None:
        return metadata.token_endpoint_auth_method
    if native:
        return "none"
    if "client_secret_basic" in methods:
        return "client_secret_basic"
    return "private_key_jwt" if metadata.jwks is not None else "none"


def _algorithms(metadata: ClientMetadata) -> tuple[Any, Any]:
    userinfo = metadata.userinfo_signed_response_alg
    return metadata.id_token_signed_response_alg or "RS256", None if userinfo == "none" else userinfo


def _name(metadata: ClientMetadata, client_id: str) -> str:
    """The name for people, without what they cannot see; without one, where the app is."""
    named = text.name((metadata.client_name or "")[:_LONGEST_NAME])[: registration.MAX_NAME].strip()
    if named and text.one_line(named) and not named.startswith("app_"):
        return named
    first = client_id if client_id.startswith("https://") else next(iter(metadata.redirect_uris), "")
    try:
        return (place(first).rstrip(":") or "app")[: registration.MAX_NAME]
    except ValueError:
        return "app"
