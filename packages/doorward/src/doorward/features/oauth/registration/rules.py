"""Rules of dynamic client registration: the policy of an initial access token, what a client may send, and what it gets back (RFC 7591 §3,
RFC 7592 §2, §3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.bucket import Bucket
from doorward.core.model.client import Client
from doorward.core.model.self_registered import InitialAccessToken
from doorward.features.oauth.authorize.rules.request import is_web
from doorward.features.oauth.clients.rules.scope import OIDC_SCOPES, named
from doorward.features.oauth.clients.rules.self_registered import GRANTS, refused
from doorward.features.rate_limits.rules.network import blocks

METHODS: Final = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
WITH_TOKEN: Final = (*GRANTS, "client_credentials")
"""The grants that an initial access token may give."""
HOUR: Final = 3600
CHANGES: Final = 20
"""Changes of one registration in an hour."""
_ANSWERED: Final = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)


class Limits(Struct, frozen=True):
    """What an app may register: hosts of its redirect URIs ("*" for all), grants, and access to APIs beside those that are open."""

    redirect_hosts: tuple[str, ...] = ("*",)
    grant_types: tuple[str, ...] = GRANTS
    access: Mapping[str, tuple[str, ...]] = {}


class ClientInformation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The client information response (RFC 7591 §3.2.1). A secret and a token are in it once, when they are new."""

    client_id: str
    client_id_issued_at: int
    client_name: str
    token_endpoint_auth_method: str
    grant_types: list[str]
    application_type: str
    registration_access_token: str
    registration_client_uri: str
    subject_type: str = ""
    response_types: list[str] | None = None
    redirect_uris: list[str] | None = None
    post_logout_redirect_uris: list[str] | None = None
    id_token_signed_response_alg: str | None = None
    userinfo_signed_response_alg: str | None = None
    default_max_age: int | None = None
    jwks: dict[str, Any] | None = None
    scope: str | None = None
    client_secret: str | None = None
    client_secret_expires_at: int | None = None

    def __repr__(self) -> str:
        return "ClientInformation(***)"


def limits_of(token: InitialAccessToken | None, current: Client | None = None) -> Limits:
    """What may be registered with a token, or without one. `current`: the app as registered with a token that is gone, which may then keep
    what it has and no more."""
    if token is not None:
        return Limits(token.redirect_hosts, token.grant_types, token.access)
    if current is not None:
        hosts = tuple(dict.fromkeys(_host(uri) for uri in current.redirect_uris))
        return Limits(hosts, current.grant_types, current.access)
    return Limits()


def host_problem(client: Client, limits: Limits) -> OAuthError | None:
    """Check that all redirect URIs are at permitted hosts. An address without a host (a private-use scheme) has to be permitted by "*"."""
    if "*" in limits.redirect_hosts:
        return None
    for uri in (*client.redirect_uris, *client.post_logout_redirect_uris):
        if _host(uri) not in limits.redirect_hosts:
            return refused(f"{uri} is not at a host for which this registration is permitted.", uri=True)
    return None


def _host(uri: str) -> str:
    """The host; for a private-use scheme the scheme with its colon, which is no host."""
    # an authority after such a scheme is no host: cursor://partner.example.com is not at partner.example.com
    parts = urlsplit(uri)
    return parts.hostname if is_web(uri) and parts.hostname else f"{parts.scheme}:"


def update_problem(document: Mapping[str, Any], client_id: str) -> OAuthError | None:
    """Check the members of an update that are no metadata (RFC 7592 §2.2)."""
    for name in _ANSWERED:
        if name in document:
            return OAuthError("invalid_request", f"{name} cannot be sent.")
    if document.get("client_id") != client_id:
        return OAuthError("invalid_request", "client_id has to be that of the registration.")
    return None


def response(
    client: Client,
    *,
    token: str,
    uri: str,
    secret: str | None = None,
    scope: str | None = None,
) -> ClientInformation:
    """The answer about a registration; `scope` is what the app named."""
    codes = "authorization_code" in client.grant_types
    return ClientInformation(
        client_id=client.id,
        client_id_issued_at=client.created_at,
        client_name=client.name,
        token_endpoint_auth_method=client.auth_method,
        grant_types=list(client.grant_types),
        application_type="native" if client.native else "web",
        registration_access_token=token,
        registration_client_uri=uri,
        subject_type="public",
        response_types=["code"] if codes else [],
        redirect_uris=list(client.redirect_uris) or None,
        post_logout_redirect_uris=list(client.post_logout_redirect_uris) or None,
        id_token_signed_response_alg=client.id_token_signed_alg if codes else None,
        userinfo_signed_response_alg=client.userinfo_signed_alg,
        default_max_age=client.default_max_age,
        jwks=client.jwks,
        scope=_scope(client, scope),
        client_secret=secret,
        client_secret_expires_at=None if secret is None else 0,
    )


def _scope(client: Client, asked: str | None) -> str | None:
    """Those of the named scopes that the app may ask for now. They limit nothing: what an API opens later can be asked for too."""
    known = {*OIDC_SCOPES, *(name for names in client.access.values() for name in names)}
    kept = [name for name in named((asked or "")[:4000]) if name in known]
    return " ".join(kept) or None


def of_registrations(
    address: str, *, per_network: int, per_hour: int, tag: Callable[[str], str]
) -> tuple[Bucket, ...]:
    """The counters of one open registration: of the requester's networks, and of all. `tag` is a keyed hash."""
    networks = tuple(
        Bucket(tag(f"registration:by:{block.name}"), per_network * block.times, HOUR)
        for block in blocks(address)
    )
    return (*networks, Bucket(tag("registration:all"), per_hour, HOUR))


def of_changes(app_id: str, *, tag: Callable[[str], str]) -> tuple[Bucket, ...]:
    """The counter of changes of one registration."""
    return (Bucket(tag(f"registration:change:{app_id}"), CHANGES, HOUR),)
