"""Issuer metadata, accepted only from that issuer: RFC 8414 §3, OpenID Connect Discovery 1.0 §4."""

from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from msgspec import Struct

from doorward_verify.encoding import Malformed, json_object

MAX_METADATA_BYTES: Final = 128 * 1024
_SHOWN: Final = 200
WELL_KNOWN: Final = "/.well-known/oauth-authorization-server"
OPENID: Final = "/.well-known/openid-configuration"


class InvalidMetadata(ValueError):
    """The metadata cannot be trusted or parsed. The message says why."""


class NoMetadata(InvalidMetadata):
    """The document is no JSON object, for example an HTML page that some hosts return for any path."""


class Metadata(Struct, frozen=True):
    """The members that an API needs. `jwks_uri` is None when it was not requested."""

    issuer: str
    jwks_uri: str | None
    revocation_feed: str | None
    token_endpoint: str | None = None
    introspection_endpoint: str | None = None


def metadata_urls(issuer: str) -> tuple[str, str]:
    """URLs of the metadata, in the order to try: RFC 8414 §3.1 puts the well-known part between host and
    path, OpenID Connect Discovery 1.0 §4 puts it after the path, and many issuers serve only the second."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    places = (WELL_KNOWN + path, path + OPENID)
    first, second = (urlunsplit((parts.scheme, parts.netloc, place, "", "")) for place in places)
    return first, second


def parse_metadata(
    issuer: str,
    document: bytes,
    *,
    keys: bool = True,
    token_endpoint: bool = False,
    introspection: bool = False,
) -> Metadata:
    """Parse the metadata of `issuer`. Raises `InvalidMetadata`, and `NoMetadata` when the document is something else.

    Its `issuer` must be identical to the requested one (RFC 8414 §3.3: otherwise any host could impersonate another),
    and its endpoints must be on the issuer's own origin, so that only the pinned issuer is trusted. `keys` False: the
    caller knows the location of the keys, so the one in the metadata is ignored. `token_endpoint`,
    `introspection`: that one is needed too.
    """
    if len(document) > MAX_METADATA_BYTES:
        raise InvalidMetadata(f"the metadata is bigger than {MAX_METADATA_BYTES} bytes")
    try:
        members = json_object(document)
    except Malformed as error:
        raise NoMetadata(f"the metadata is {error}") from None
    if members.get("issuer") != issuer:
        named = repr(members.get("issuer"))[:_SHOWN]
        raise InvalidMetadata(
            f"the metadata of {issuer} names another issuer, {named}; they have to be the same to the letter"
        )
    jwks_uri = _endpoint(members, "jwks_uri", issuer) if keys else None
    if keys and jwks_uri is None:
        raise InvalidMetadata("the metadata has no jwks_uri")
    return Metadata(
        issuer,
        jwks_uri,
        _endpoint(members, "revocation_feed_endpoint", issuer),
        _endpoint(members, "token_endpoint", issuer) if token_endpoint else None,
        _endpoint(members, "introspection_endpoint", issuer) if introspection else None,
    )


def check_url(url: str) -> str:
    """Return the URL if it may be fetched: https, or http to a loopback address (development). Raises
    `InvalidMetadata`."""
    parts = _split(url)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return url
    raise InvalidMetadata(
        f"only https is fetched, and http from a loopback address in development; not {url[:_SHOWN]}"
    )


def check_issuer(issuer: str) -> str:
    """Return the issuer if it is valid: a URL without query or fragment, RFC 8414 §2. Raises `InvalidMetadata`."""
    check_url(issuer)
    if "?" in issuer or "#" in issuer:
        raise InvalidMetadata("an issuer has no query and no fragment")
    return issuer


def is_loopback(host: str) -> bool:
    """Whether a host name or address is a loopback one."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of a URL, with default ports filled in, RFC 6454 §4. Raises `InvalidMetadata`."""
    parts = _split(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InvalidMetadata("not a URL") from None
    if not parts.hostname or parts.username is not None or not url.isascii() or any(c <= " " for c in url):
        raise InvalidMetadata("not a URL with a host and without a user")
    return parts


def _endpoint(members: dict[str, Any], name: str, issuer: str) -> str | None:
    value: object = members.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidMetadata(f"`{name}` is not text")
    if origin_of(check_url(value)) != origin_of(issuer):
        fix = "; to trust keys from there, name their address as jwks_uri=" if name == "jwks_uri" else ""
        raise InvalidMetadata(f"`{name}` is not on the issuer's own origin{fix}")
    return value
