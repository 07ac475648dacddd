"""Registration rules for apps, APIs and roles (RFC 7591 §5, RFC 8252 §7, RFC 9700 §2, RFC 8707 §2: R3, R4, R19).

Every function returns the problem, or None.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from doorward.core import text
from doorward.core.model.client import Client
from doorward.core.model.policy import LONGEST
from doorward.core.model.problem import Problem, ProblemCode, problem
from doorward.core.web_origin import web_origin
from doorward.features.oauth.authorize.rules.request import is_web
from doorward.features.oauth.clients.rules import key_strength
from doorward.features.oauth.clients.rules.exchange_policy import exchange_problem
from doorward.features.oauth.clients.rules.private_schemes import NEVER
from doorward.features.oauth.clients.rules.redirect_uri import LOOPBACK
from doorward.features.oauth.clients.rules.scope import OIDC_SCOPES

MAX_URI: Final = 2000
MAX_NAME: Final = 100
ACCESS_TTL: Final = (10, 86_400)
REFRESH_TTL: Final = (60, LONGEST)
MAX_AGE: Final = (0, LONGEST)
"""Minimum and maximum of the registered durations, in seconds."""

_URI: Final = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
# A name of letters, digits, hyphens, underscores and dots, or an IPv6 address.
_HOST: Final = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,100}")
_ROLE: Final = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,62}[^\s\x00-\x1f\x7f])?")
# What comes after the two slashes of a private-use scheme: Visual Studio Code has the id of an extension there.
_PART: Final = re.compile(r"[A-Za-z0-9._-]+")


class _Address(Struct, frozen=True):
    """A URI, and the member of the app that contains it."""

    member: str
    uri: str

    def wrong(self, code: ProblemCode, **more: str | int) -> Problem:
        return problem(code, member=self.member, uri=self.uri, **more)


def redirect_uri_problem(
    uri: str, *, native: bool, schemes: Collection[str] = (), member: str = "redirect_uris"
) -> Problem | None:
    """Check a redirect URI (R3): absolute, https; http only to this machine; a private-use scheme only for native apps, with a domain in it,
    or one of the permitted `schemes`."""
    address = _Address(member, uri)
    parts = _split(address)
    if isinstance(parts, Problem):
        return parts
    if parts.scheme in NEVER:
        return address.wrong("uri_scheme_forbidden", scheme=parts.scheme)
    if parts.scheme in {"https", "http"}:
        return _web_problem(address, parts)
    if "." not in parts.scheme and parts.scheme not in schemes:
        return address.wrong("uri_scheme_undotted", scheme=parts.scheme)
    if not native:
        return address.wrong("uri_scheme_private", scheme=parts.scheme)
    if parts.scheme in schemes and (parts.netloc or "." not in parts.scheme):
        return _program_problem(address, parts)
    if parts.netloc or not parts.path.startswith("/"):
        return address.wrong("uri_scheme_unslashed", scheme=parts.scheme)
    return None


def web_address_problem(uri: str, *, member: str) -> Problem | None:
    """Check a URI that the server or a browser calls after logout: https, http only to this machine."""
    address = _Address(member, uri)
    parts = _split(address)
    if isinstance(parts, Problem):
        return parts
    if parts.scheme not in {"https", "http"}:
        return address.wrong("uri_scheme_not_web", scheme=parts.scheme)
    return _web_problem(address, parts)


def origin_problem(origin: str) -> Problem | None:
    """Check a web origin (RFC 6454 §6.2): scheme, host and port, nothing after it."""
    address = _Address("origins", origin)
    plain = web_origin(origin)
    if plain is None:
        return address.wrong("origin_invalid")
    if found := web_address_problem(plain, member="origins"):
        return found
    parts = urlsplit(origin)
    bare = not parts.path and "?" not in origin and "#" not in origin and "@" not in parts.netloc
    return None if bare else address.wrong("origin_with_path", origin=plain)


def plain_origin(origin: str) -> str:
    """A valid origin in the spelling of browsers; an invalid one unchanged, so that the refusal quotes it."""
    return (web_origin(origin) or origin) if origin_problem(origin) is None else origin


def identifier_problem(identifier: str) -> Problem | None:
    """Check an API's identifier: an absolute URI without fragment (RFC 8707 §2) of any scheme, since it is never fetched."""
    if not identifier.isascii() or not _URI.fullmatch(identifier) or len(identifier) > MAX_URI:
        return problem("identifier_invalid", identifier=identifier)
    scheme, colon, rest = identifier.partition(":")
    if not colon or not rest or not _SCHEME.fullmatch(scheme):
        return problem("identifier_relative", identifier=identifier)
    if "#" in identifier:
        return problem("identifier_fragment", identifier=identifier)
    return None


def permission_problem(name: str) -> Problem | None:
    """Check that a permission is a scope value (RFC 6749 §3.3) that OpenID Connect does not use."""
    if not _SCOPE.fullmatch(name):
        return problem("permission_invalid", permission=name)
    if name in OIDC_SCOPES:
        return problem("permission_reserved", permission=name)
    return None


def name_problem(name: str, *, prefix: str) -> Problem | None:
    """Check the name of an app or an API: readable, and not like an id."""
    if not name or name != text.name(name) or len(name) > MAX_NAME:
        return problem("name_invalid", limit=MAX_NAME)
    if name.startswith(f"{prefix}_"):
        return problem("name_like_id", prefix=f"{prefix}_")
    return None


def role_problem(name: str) -> Problem | None:
    """Check a role's name, which appears in tokens: short, printable."""
    if not _ROLE.fullmatch(name) or name != text.name(name) or name.startswith("rol_"):
        return problem("role_name_invalid")
    return None


def plug_problem(
    client: Client, *, grant_types: Sequence[str], auth_methods: Sequence[str]
) -> Problem | None:
    """Check that this server has the app's grant types and authentication method, under the names of `features/oauth/index.py` and of
    added plugs."""
    for name in client.grant_types:
        if name not in grant_types:
            return problem("grant_type_unknown", grant_type=name, known=tuple(grant_types))
    if client.auth_method not in auth_methods:
        return problem("auth_method_unknown", auth_method=client.auth_method, known=tuple(auth_methods))
    return None


def client_problem(client: Client, *, native: bool, schemes: Collection[str] = ()) -> Problem | None:
    """Check an app's registration as a whole; `schemes` are the permitted private-use schemes without a domain."""
    uses_code = "authorization_code" in client.grant_types
    if not client.grant_types:
        return problem("grant_types_missing")
    if "refresh_token" in client.grant_types and not client.signs_people_in:
        return problem("refresh_without_code")
    for uri in client.redirect_uris:
        if found := redirect_uri_problem(uri, native=native, schemes=schemes):
            return found
    for uri in client.post_logout_redirect_uris:
        if found := redirect_uri_problem(
            uri, native=native, schemes=schemes, member="post_logout_redirect_uris"
        ):
            return found
    for origin in client.origins:
        if found := origin_problem(origin):
            return found
    for issuer in client.exchange.id_jag if client.exchange else ():
        if found := web_address_problem(issuer, member="id_jag"):
            return found
    if client.backchannel_logout_uri and (
        found := web_address_problem(client.backchannel_logout_uri, member="backchannel_logout_uri")
    ):
        return found
    if uses_code and not client.redirect_uris and not client.first_party:
        return problem("redirect_uris_missing")
    if client.redirect_uris and not uses_code:
        return problem("redirect_uris_unused")
    return (
        _answer_problem(client)
        or _credential_problem(client)
        or _range_problem(client)
        or exchange_problem(client)
    )


def needs_this_program(client: Client) -> bool:
    """Whether older programs would neither observe what the app is registered with nor keep it: the second factor that it demands; the
    tokens that it exchanges, which they would not end with what those rest on; who alone may exchange its own."""
    return client.second_factor == "required" or client.exchange is not None or client.may_act is not None


def _answer_problem(client: Client) -> Problem | None:
    """Check the response modes (OAuth 2.0 Form Post Response Mode §2): a form is posted to web addresses only."""
    if not client.response_modes:
        return problem("response_modes_missing")
    if "query" not in client.response_modes:
        for uri in client.redirect_uris:
            if not is_web(uri):
                return problem("response_mode_unpostable", uri=uri)
    return None


def _credential_problem(client: Client) -> Problem | None:
    if not client.confidential and "client_credentials" in client.grant_types:
        return problem("public_app_for_itself")
    if client.pkce != "required" and not client.confidential:
        return problem("public_app_without_pkce")
    if client.secretive and not all(is_web(uri) for uri in client.redirect_uris):
        return problem("secret_on_device")
    if client.auth_method == "private_key_jwt" and not (client.jwks and client.jwks.get("keys")):
        return problem("jwks_missing")
    if client.jwks is not None and (weak := key_strength.first_unusable(client.jwks)):
        number, reason = weak
        return problem("jwks_unusable", number=number, reason=reason)
    if client.auth_method != "private_key_jwt" and client.jwks is not None:
        return problem("jwks_unused")
    if not client.rotation and client.auth_method != "private_key_jwt":
        return problem("rotation_required")
    if client.origins and not client.first_party:
        return problem("origins_of_third_party")
    return None


def _range_problem(client: Client) -> Problem | None:
    for scope in client.oidc_scopes:
        if scope not in OIDC_SCOPES:
            return problem("scope_unknown", scope=scope, known=tuple(OIDC_SCOPES))
    for member, value, (least, most) in (
        ("access_token_ttl", client.access_token_ttl, ACCESS_TTL),
        ("refresh_token_ttl", client.refresh_token_ttl, REFRESH_TTL),
        ("default_max_age", client.default_max_age, MAX_AGE),
    ):
        if value is not None and not least <= value <= most:
            return problem("out_of_range", member=member, value=value, least=least, most=most)
    return None


def _split(address: _Address) -> SplitResult | Problem:
    uri = address.uri
    if not uri:
        return address.wrong("uri_empty")
    if len(uri) > MAX_URI:
        return address.wrong("uri_too_long", limit=MAX_URI)
    if not uri.isascii() or not _URI.fullmatch(uri):
        return address.wrong("uri_character")
    if "#" in uri:
        return address.wrong("uri_fragment")
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return address.wrong("uri_unreadable")
    if not uri.partition(":")[1] or not parts.scheme:
        return address.wrong("uri_relative")
    if not uri.startswith(f"{parts.scheme}:"):
        return address.wrong("uri_scheme_case", scheme=parts.scheme)
    return parts


def _web_problem(address: _Address, parts: SplitResult) -> Problem | None:
    host = parts.hostname
    if "@" in parts.netloc:
        # user information can make the URI look like another site's
        return address.wrong("uri_user_name")
    if not host or not parts.geturl().startswith(f"{parts.scheme}://"):
        return address.wrong("uri_host_missing", scheme=parts.scheme)
    if host != parts.netloc.rpartition(":")[0].strip("[]") and host != parts.netloc.strip("[]"):
        return address.wrong("uri_host_spelling")
    if "*" in host or "%" in host:
        # compared exactly, without wildcards (RFC 9700 §4.1.3)
        return address.wrong("uri_host_wildcard")
    if not _HOST.fullmatch(host):
        # The host is part of the form_post page's policy, where a comma or a semicolon ends a directive.
        return address.wrong("uri_host_character")
    if parts.scheme == "http" and host not in LOOPBACK and host != "localhost":
        return address.wrong("uri_not_https")
    return _path_problem(address, parts)


def _program_problem(address: _Address, parts: SplitResult) -> Problem | None:
    """Check an address of a program that has its own commands there: what is registered must be what it opens."""
    if "@" in parts.netloc:
        return address.wrong("uri_user_name")
    if not parts.netloc:
        return address.wrong("uri_host_missing", scheme=parts.scheme)
    if not _PART.fullmatch(parts.netloc):
        return address.wrong("uri_host_character")
    return _path_problem(address, parts)


def _path_problem(address: _Address, parts: SplitResult) -> Problem | None:
    segments = parts.path.replace("%2e", ".").replace("%2E", ".").split("/")
    return address.wrong("uri_dot_segment") if any(each in {".", ".."} for each in segments) else None
