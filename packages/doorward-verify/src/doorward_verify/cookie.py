"""Access token of a request, from the Authorization header (RFC 6750 §2.1) or a cookie with CSRF protection."""

from hashlib import sha256
from hmac import compare_digest
from typing import Final

from msgspec import Struct

from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import b64url_encode
from doorward_verify.metadata import InvalidMetadata, is_loopback, origin_of

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER: Final = "X-CSRF-Token"
_CSRF_LABEL: Final = b"doorward-csrf:"
MAX_COOKIE_CHARS: Final = 64 * 1024


class RequestCredentials(Struct, frozen=True):
    """The parts of a request that authentication reads. `authorization` and `cookies` hold each header of
    that name; `own_origin` is the origin that the request was sent to, as `https://host[:port]`; `query` is
    what follows the ? in its address. A WebSocket has the method `WEBSOCKET`."""

    method: str
    own_origin: str
    authorization: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    origin: str | None = None
    csrf_token: str | None = None
    query: str = ""


def csrf_token(access_token: str) -> str:
    """The value that `X-CSRF-Token` must have beside the cookie. Only a page that received it from its own
    site knows it."""
    return b64url_encode(sha256(_CSRF_LABEL + access_token.encode("utf-8", "surrogatepass")).digest())


def issuer_mark(issuer: str) -> str:
    """The mark of an issuer in its cookie names, 8 hex digits. Browsers do not separate cookies by port nor,
    for `__Host-`, by path, so two issuers on one host would overwrite each other's cookies."""
    return sha256(issuer.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def cookie_names(issuer: str) -> tuple[str, str]:
    """Names of the access token cookie; the first one present is used: `__Host-dw_<mark>_at`, which no
    sibling domain can set (RFC 6265bis §4.1.3.2), then the name without the mark, set by servers before
    0.2. Without `__Host-` for a plain-http issuer in development."""
    scheme, host, _ = origin_of(issuer)
    prefix = "" if scheme == "http" and is_loopback(host) else "__Host-"
    return f"{prefix}dw_{issuer_mark(issuer)}_at", f"{prefix}dw_at"


def presented(
    asked: RequestCredentials, *, names: tuple[str, ...] = (), origins: frozenset[str] = frozenset()
) -> str:
    """Return the access token of a request. Raises `AuthError`.

    An Authorization header takes precedence over the cookie. `names` are the accepted cookie names: the first
    one present is used. With a cookie, a request that changes something must carry the CSRF token, and its
    Origin, if present, must be the request's own origin or one of `origins`.
    """
    if len(asked.authorization) > 1:
        raise AuthError("bad_request", "there is more than one Authorization header")
    if asked.authorization:
        return _bearer(asked.authorization[0])
    token = next((found for name in names if (found := _cookie(asked.cookies, name))), None)
    if token is None:
        raise AuthError("no_token", "there is no access token")
    if asked.method not in SAFE_METHODS:
        _own_site(asked, token, origins)
    return token


def _bearer(header: str) -> str:
    scheme, _, token = header.strip(" \t").partition(" ")
    if scheme.lower() != "bearer":
        raise AuthError("no_token", "the Authorization header is of another scheme")
    token = token.strip(" ")
    if not token or any(c in ' ,"\t' for c in token):
        raise AuthError("bad_request", "the Authorization header holds no single token")
    return token


def _cookie(headers: tuple[str, ...], name: str) -> str | None:
    found: list[str] = []
    for header in headers:
        if len(header) > MAX_COOKIE_CHARS:
            raise AuthError("bad_request", "the Cookie header is too long")
        for pair in header.split(";"):
            given, equals, value = pair.strip(" \t").partition("=")
            if equals and given == name:
                found.append(value)
    if len(found) > 1:  # cookie tossing: one of them was set by an attacker
        raise AuthError("bad_request", "the access token's cookie stands twice")
    return found[0] if found and found[0] else None


def _own_site(asked: RequestCredentials, token: str, origins: frozenset[str]) -> None:
    if (
        asked.origin is not None
        and not _same_origin(asked.origin, asked.own_origin)
        and asked.origin not in origins
    ):
        raise AuthError("csrf", "the request comes from another origin")
    given = asked.csrf_token or ""
    if not compare_digest(given.encode("utf-8", "surrogatepass"), csrf_token(token).encode()):
        raise AuthError("csrf", f"the {CSRF_HEADER} header is missing or not of this token")


def _same_origin(one: str, other: str) -> bool:
    try:
        return origin_of(one) == origin_of(other)
    except InvalidMetadata:  # `null`, or not an origin
        return False
