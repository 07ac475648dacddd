"""Metadata of an OpenID provider, accepted only from its own issuer (OpenID Connect Discovery 1.0 §3, §4.3)."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from doorward.core.web_origin import loopback
from doorward_verify.encoding import Malformed, json_object

WELL_KNOWN: Final = "/.well-known/openid-configuration"
TENANT: Final = "{tenantid}"
"""What Microsoft's metadata have in the place of a tenant's id."""
_MAX_URL: Final = 2000


class BadProviderMetadata(ValueError):
    """The document cannot be used. The text says why, and is safe to log."""


class ProviderMetadata(Struct, frozen=True, kw_only=True):
    """The members that are used. `names_issuer`: every authorization response has the parameter `iss` (RFC 9207 §3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    names_issuer: bool = False


def metadata_url(issuer: str) -> str:
    """Where the metadata of an issuer is (Discovery §4.1)."""
    return issuer.rstrip("/") + WELL_KNOWN


def parse_provider_metadata(issuer: str, document: bytes, *, local: bool = False) -> ProviderMetadata:
    """The metadata of `issuer`, or of the template that stands for many. Raises `BadProviderMetadata`.

    Its `issuer` must be identical to the one of the settings: with any other, one provider could speak for another (§4.3). `local`: http
    on this machine is allowed, in development.
    """
    try:
        members = json_object(document)
    except Malformed as problem:
        raise BadProviderMetadata(f"the metadata is {problem}") from None
    if members.get("issuer") != issuer:
        named = repr(members.get("issuer"))[:200]
        raise BadProviderMetadata(f"the metadata names the issuer {named}, and the settings name {issuer!r}")
    return ProviderMetadata(
        issuer=issuer,
        authorization_endpoint=_required(members, "authorization_endpoint", local),
        token_endpoint=_required(members, "token_endpoint", local),
        jwks_uri=_required(members, "jwks_uri", local),
        userinfo_endpoint=_url(members, "userinfo_endpoint", local),
        end_session_endpoint=_url(members, "end_session_endpoint", local),
        names_issuer=members.get("authorization_response_iss_parameter_supported") is True,
    )


def response_issuer_problem(metadata: ProviderMetadata, given: str | None) -> str | None:
    """What is wrong with the `iss` of an authorization response; None: nothing (RFC 9207 §2.4). A response of another provider would
    lead this server to send that provider's code to the wrong one (mix-up)."""
    if TENANT in metadata.issuer:
        # the issuer is that of a tenant, which the ID token names; the redirect URI is this provider's alone
        return None
    if given is None:
        return "the response has no iss, and the metadata promises one" if metadata.names_issuer else None
    return None if given == metadata.issuer else "the response names another issuer"


def _required(members: dict[str, Any], name: str, local: bool) -> str:
    found = _url(members, name, local)
    if found is None:
        raise BadProviderMetadata(f"the metadata has no {name}")
    return found


def _url(members: dict[str, Any], name: str, local: bool) -> str | None:
    value: object = members.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _MAX_URL or not value.isascii():
        raise BadProviderMetadata(f"{name} is no URL")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise BadProviderMetadata(f"{name} is no URL") from None
    secure = parts.scheme == "https" or (local and parts.scheme == "http" and loopback(host))
    if not host or not secure or "@" in parts.netloc or "#" in value or any(one <= " " for one in value):
        raise BadProviderMetadata(f"{name} is no https URL without user and fragment")
    return value
