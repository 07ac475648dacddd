"""May an app, an API or a role be registered like this? (RFC 7591 §5, RFC 8252 §7, RFC 9700 §2, RFC 8707 §2: lines 3, 4, 19)

Every function answers with what is wrong and what would be right, for the person who registers; None means yes.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from doorward.core import text
from doorward.core.model.client import Client
from doorward.core.web_origin import web_origin
from doorward.features.oauth.authorize.rules.request import is_web
from doorward.features.oauth.clients.rules import key_strength
from doorward.features.oauth.clients.rules.redirect_uri import LOOPBACK
from doorward.features.oauth.clients.rules.scope import OIDC_SCOPES

MAX_URI: Final = 2000
MAX_NAME: Final = 100

_URI: Final = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
# A name of letters, digits, hyphens, underscores and dots, or an IPv6 address.
_HOST: Final = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,100}")
_ROLE: Final = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,62}[^\s\x00-\x1f\x7f])?")
# Schemes that run what they carry, or reach into the machine: never, whatever else is true of the URI (line 3).
_NEVER: Final = frozenset(
    {"javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source"}
)


def redirect_uri_problem(uri: str, *, native: bool) -> str | None:
    """A redirect URI (line 3): absolute, https; http only to this machine; a private-use scheme only for native apps."""
    parts = _split(uri)
    if isinstance(parts, str):
        return parts
    if parts.scheme in _NEVER:
        return f"{parts.scheme}: is never a redirect URI; use an https address."
    if parts.scheme in {"https", "http"}:
        return _web_problem(parts)
    if "." not in parts.scheme:
        return (
            f"{parts.scheme}: is no scheme for a redirect URI; use https, or for a native app a private-use scheme made "
            "of your domain backwards, as in com.example.app:/callback (RFC 8252 §7.1)."
        )
    if not native:
        return f"{parts.scheme}: is a private-use scheme, which only native apps may use; use https, or --kind native."
    if parts.netloc or not parts.path.startswith("/"):
        return (
            f"A private-use scheme is followed by one slash, as in {parts.scheme}:/callback (RFC 8252 §7.1)."
        )
    return None


def web_address_problem(uri: str) -> str | None:
    """An address that the server or a browser calls after log-out: https, http only to this machine."""
    parts = _split(uri)
    if isinstance(parts, str):
        return parts
    if parts.scheme not in {"https", "http"}:
        return f"{parts.scheme}: is not possible here; use an https address."
    return _web_problem(parts)


def origin_problem(origin: str) -> str | None:
    """A web origin (RFC 6454 §6.2): scheme, host and port, nothing after it."""
    plain = web_origin(origin)
    if plain is None:
        return "No browser has such an origin; it should look like https://app.example.com"
    problem = web_address_problem(plain)
    if problem is not None:
        return problem
    parts = urlsplit(origin)
    bare = not parts.path and "?" not in origin and "#" not in origin and "@" not in parts.netloc
    return None if bare else f"An origin has no path; write {plain}"


def plain_origin(origin: str) -> str:
    """A good origin as browsers write it; another stays as it is, to be refused in the words it came in."""
    return (web_origin(origin) or origin) if origin_problem(origin) is None else origin


def identifier_problem(identifier: str) -> str | None:
    """An API's identifier: an absolute URI without fragment (RFC 8707 §2); its scheme does not matter, nobody fetches it."""
    if not identifier.isascii() or not _URI.fullmatch(identifier) or len(identifier) > MAX_URI:
        return "An API's identifier is a URI, as in https://api.example.com; it holds a character that no URI has."
    scheme, colon, rest = identifier.partition(":")
    if not colon or not rest or not _SCHEME.fullmatch(scheme):
        return "An API's identifier is an absolute URI, as in https://api.example.com or urn:example:orders."
    if "#" in identifier:
        return "An API's identifier has no fragment (#…): RFC 8707 §2."
    return None


def permission_problem(name: str) -> str | None:
    """A permission is a scope value (RFC 6749 §3.3) that OpenID Connect does not use."""
    if not _SCOPE.fullmatch(name):
        return f'"{name}" cannot be a permission: 1 to 100 printable ASCII characters without space, quote or backslash.'
    if name in OIDC_SCOPES:
        return f'"{name}" belongs to OpenID Connect and cannot be a permission; take another name, as in orders:{name}.'
    return None


def name_problem(name: str, *, prefix: str) -> str | None:
    """The name of an app or an API: something to say in its place, that cannot be taken for an id."""
    if not name or name != text.name(name) or len(name) > MAX_NAME:
        return f"A name has 1 to {MAX_NAME} characters that can be seen, and no space at its ends."
    if name.startswith(f"{prefix}_"):
        return f"A name cannot begin with {prefix}_: that is how ids begin."
    return None


def role_problem(name: str) -> str | None:
    """A role's name appears in tokens: short, printable."""
    if not _ROLE.fullmatch(name) or name != text.name(name) or name.startswith("rol_"):
        return "A role's name has 1 to 64 printable characters, no space at its ends, and does not begin with rol_."
    return None


def client_problem(client: Client, *, native: bool) -> str | None:
    """Whether an app's registration makes sense as a whole."""
    uses_code = "authorization_code" in client.grant_types
    if not client.grant_types:
        return (
            "An app gets tokens in one way at least: --grant-type authorization_code or client_credentials."
        )
    if "refresh_token" in client.grant_types and not uses_code:
        return "Refresh tokens come from a sign-in: --grant-type authorization_code too, or leave out refresh_token."
    for uri in client.redirect_uris:
        if problem := redirect_uri_problem(uri, native=native):
            return f"{uri}: {problem}"
    for uri in client.post_logout_redirect_uris:
        if problem := redirect_uri_problem(uri, native=native):
            return f"{uri}: {problem}"
    for origin in client.origins:
        if problem := origin_problem(origin):
            return f"{origin}: {problem}"
    if client.backchannel_logout_uri and (problem := web_address_problem(client.backchannel_logout_uri)):
        return f"{client.backchannel_logout_uri}: {problem}"
    if uses_code and not client.redirect_uris and not client.first_party:
        return "An app with a sign-in page needs --redirect URI (or --kind service, or --first-party)."
    if client.redirect_uris and not uses_code:
        return "A service signs nobody in: leave out --redirect, or choose another --kind."
    return _answer_problem(client) or _credential_problem(client)


def _answer_problem(client: Client) -> str | None:
    """How the authorization response travels (OAuth 2.0 Form Post Response Mode §2): a form is posted to web addresses only."""
    if not client.response_modes:
        return "An app hears answers in one way at least: --response-mode query, form_post, or both."
    if "query" not in client.response_modes:
        for uri in client.redirect_uris:
            if not is_web(uri):
                return f"{uri}: no form can be posted there, so the app needs --response-mode query too."
    return None


def _credential_problem(client: Client) -> str | None:
    if not client.confidential and "client_credentials" in client.grant_types:
        return "A public app has no credential of its own, so it cannot act for itself (OAuth 2.1 §4.2)."
    if client.pkce != "required" and not client.confidential:
        return "A public app always uses PKCE (OAuth 2.1 §7.5.1): --pkce required."
    if client.secretive and not all(is_web(uri) for uri in client.redirect_uris):
        return "An app on people's devices can keep no secret: everybody who has the app can read it; --auth-method none."
    if client.auth_method == "private_key_jwt" and not (client.jwks and client.jwks.get("keys")):
        return "private_key_jwt needs the app's public keys: --jwks FILE."
    if client.jwks is not None and (problem := key_strength.problem(client.jwks)):
        return problem
    if client.auth_method != "private_key_jwt" and client.jwks is not None:
        return "Public keys are only for --auth-method private_key_jwt."
    if not client.rotation and client.auth_method != "private_key_jwt":
        return "Refresh tokens may stay the same only for apps that authenticate with private_key_jwt (FAPI 2.0 §5.3.2.1): --rotation."
    if client.origins and not client.first_party:
        return "Cookie delivery (--origin) is only for --first-party apps."
    return None


def _split(uri: str) -> SplitResult | str:
    if not uri:
        return "The URI is empty, so it is not absolute; it should begin with https://"
    if len(uri) > MAX_URI:
        return f"The URI is longer than {MAX_URI} characters."
    if not uri.isascii() or not _URI.fullmatch(uri):
        return "The URI holds a character that no URI has (a space, a backslash, a letter beyond ASCII)."
    if "#" in uri:
        return "The URI has a fragment (#…), which a redirect would overwrite (RFC 6749 §3.1.2)."
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return "This is no URI: host or port cannot be read."
    if not uri.partition(":")[1] or not parts.scheme:
        return "The URI is not absolute; it should begin with https://"
    if not uri.startswith(f"{parts.scheme}:"):
        return f"Write the scheme in lower case: {parts.scheme}:"
    return parts


def _web_problem(parts: SplitResult) -> str | None:
    host = parts.hostname
    if "@" in parts.netloc:
        return "The URI has a user name in it, which can make it look like another site's; leave out everything before the @."
    if not host or not parts.geturl().startswith(f"{parts.scheme}://"):
        return f"The URI has no host; it should look like {parts.scheme}://app.example.com/callback"
    if host != parts.netloc.rpartition(":")[0].strip("[]") and host != parts.netloc.strip("[]"):
        return "Write the host in lower case and as plain as it can be."
    if "*" in host or "%" in host:
        return "The host has to be a plain name: redirect URIs are compared exactly, without wildcards (RFC 9700 §4.1.3)."
    if not _HOST.fullmatch(host):
        # It would stand in the policy of the form_post page, where a comma or a semicolon ends a directive.
        return "The host holds a character that no host name has; it is made of letters, digits, hyphens and dots."
    if parts.scheme == "http" and host not in LOOPBACK and host != "localhost":
        return "http is only for this machine (127.0.0.1, [::1] or localhost); use https."
    if any(
        segment in {".", ".."} for segment in parts.path.replace("%2e", ".").replace("%2E", ".").split("/")
    ):
        return "The path has a . or .. in it; write where it leads."
    return None
