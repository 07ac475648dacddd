"""Kinds of app: the permitted credentials and the registration defaults of each."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final, Literal

from msgspec import Struct, structs

from doorward.core.model.client import Client, Pkce
from doorward.core.model.problem import Problem
from doorward.core.model.problem import problem as wrong
from doorward.features.oauth.authorize.rules.request import is_web
from doorward.features.oauth.clients.rules.scope import OIDC_SCOPES

AppKind = Literal["web", "spa", "native", "device", "service"]
"""web has a server; spa runs in the browser; native runs on a person's device; device has no browser: a command line, a television;
service acts for itself. The kind is not stored."""


class KindRule(Struct, frozen=True, kw_only=True):
    """`keeps_secrets`: whether only the operator of the app can read a secret in it (OAuth 2.1 §2.1, RFC 8252 §8.5)."""

    auth_method: str
    grant_types: tuple[str, ...]
    keeps_secrets: bool
    signs_people_in: bool = True


_ON_A_DEVICE: Final = KindRule(
    auth_method="none", grant_types=("authorization_code", "refresh_token"), keeps_secrets=False
)
KINDS: Final[Mapping[AppKind, KindRule]] = {
    "web": KindRule(
        auth_method="client_secret_basic",
        grant_types=("authorization_code", "refresh_token"),
        keeps_secrets=True,
    ),
    "spa": _ON_A_DEVICE,
    "native": _ON_A_DEVICE,
    "device": KindRule(
        auth_method="none",
        grant_types=("urn:ietf:params:oauth:grant-type:device_code", "refresh_token"),
        keeps_secrets=False,
    ),
    "service": KindRule(
        auth_method="client_secret_basic",
        grant_types=("client_credentials",),
        keeps_secrets=True,
        signs_people_in=False,
    ),
}


def problem(client: Client, *, kind: AppKind, alone: Set[str] = frozenset()) -> Problem | None:
    """The problem if an app of this kind may not have its credential, else None. `alone` are the grants whose requests need not name an app.

    Everybody who downloads an app can read a secret in it, and could impersonate the app (RFC 8252 §8.5, RFC 9700 §2.5).
    """
    rule = KINDS[kind]
    if client.secretive and not rule.keeps_secrets:
        return wrong("kind_without_secret", kind=kind)
    # what such a grant presents takes the place of a credential (RFC 7521 §4.1)
    needs_one = not client.grant_types or not alone >= frozenset(client.grant_types)
    if not client.confidential and not rule.signs_people_in and needs_one:
        return wrong("service_without_credential")
    return None


def auth_method(kind: AppKind, *, public: bool = False, has_keys: bool = False) -> str:
    """The default authentication method of an app: with its keys if it has any, else the usual one of its kind."""
    if public:
        return "none"
    return "private_key_jwt" if has_keys else KINDS[kind].auth_method


def pkce(kind: AppKind, method: str) -> Pkce:
    """The default protection of an app's codes: web apps with a credential may use a nonce instead of PKCE, as many do."""
    return "or_nonce" if kind == "web" and method != "none" else "required"


def oidc_scopes(kind: AppKind) -> tuple[str, ...]:
    """The default OpenID Connect scopes of an app."""
    return tuple(OIDC_SCOPES) if KINDS[kind].signs_people_in else ()


def may_be_native(client: Client) -> bool:
    """Whether a registered app may have private-use schemes: an app that has one was registered as native, and a public app may be
    native."""
    return not client.confidential or not all(is_web(uri) for uri in client.redirect_uris)


def without_unused_credentials(new: Client, *, old: Client) -> Client:
    """The app without the credentials of its former authentication method, because the theft of an unused credential goes unnoticed. A
    public app always uses PKCE (OAuth 2.1 §7.5.1)."""
    if new.auth_method == old.auth_method:
        return new
    return structs.replace(
        new,
        secrets=new.secrets if new.secretive else (),
        jwks=new.jwks if new.auth_method == "private_key_jwt" or new.jwks != old.jwks else None,
        pkce=new.pkce if new.confidential or new.pkce != old.pkce else "required",
    )
