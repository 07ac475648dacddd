"""Scopes and audience of a request (RFC 6749 §3.3, RFC 8707 §2, OpenID Connect Core §5.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from shlex import quote
from typing import Final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.features.oauth.clients.rules import resource as resources

OIDC_SCOPES: Final = ("openid", "profile", "email", "offline_access", "roles", "groups")
"""The scopes that are not permissions of an API. `roles` and `groups` (the name that other clients know) contain the same names."""
MOST_TOLD: Final = 20
"""Maximum number of names logged per request: an attacker can send thousands, and finding the nearest of each takes time."""
_LONGEST: Final = 80
_TOKEN: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")


class Target(Struct, frozen=True):
    """The requested scopes, in order, and the one audience of the token (R37)."""

    scopes: tuple[str, ...]
    audience: str


class Ignored(Struct, frozen=True):
    """A requested name that nothing defines; `nearest` is the most similar scope that the app may request."""

    name: str
    nearest: str | None


def named(scope: str | None) -> tuple[str, ...]:
    """The distinct names in a scope parameter, in order."""
    return tuple(name for name in dict.fromkeys(scope.split(" ")) if name) if scope else ()


def defined(config: ConfigSnapshot, names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that OpenID Connect or any API defines."""
    permissions = {permission.name for api in config.apis.values() for permission in api.permissions}
    return tuple(name for name in names if name in OIDC_SCOPES or name in permissions)


def ignored(config: ConfigSnapshot, client: Client, scope: str | None) -> tuple[Ignored, ...]:
    """The names of an accepted `scope` that were ignored because nothing defines them, at most `MOST_TOLD`, for the operator's log.

    A request without openid has none, since there such a name is refused.
    """
    asked = named(scope)
    mine = {*client.oidc_scopes, *(name for names in client.access.values() for name in names)}
    if mine.issuperset(asked):
        return ()
    known = defined(config, asked)
    unknown = islice((name for name in asked if name not in known), MOST_TOLD)
    return tuple(
        Ignored(name, next(iter(get_close_matches(name[:_LONGEST], sorted(mine), n=1)), None))
        for name in unknown
    )


def target(
    *,
    config: ConfigSnapshot,
    client: Client,
    issuer: str,
    scope: str | None,
    resource: str | None,
    person: bool = True,
) -> Target | OAuthError:
    """Determine audience and scopes together, since permission names are defined per API.

    With openid, a name that nothing defines is ignored (OpenID Connect Core §3.1.2.1: scope values that are not understood should be
    ignored); a defined one that this app may not have is refused. `person` is False for an app that acts for itself, without openid.
    Without `scope` nothing is requested: a person's token contains only named scopes.
    """
    asked = named(scope)
    for name in asked:
        if not _TOKEN.fullmatch(name):
            return OAuthError("invalid_scope", "The scope parameter is malformed.", f"scope value {name!r}")
    if person and "openid" in asked:
        asked = defined(config, asked)
    audience = _audience(config, client, issuer, asked, resource)
    if isinstance(audience, OAuthError):
        return audience
    known = {*client.oidc_scopes, *client.access.get(audience, ())}
    for name in asked:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; nearest {near[0]}" if near else ""
            return OAuthError(
                "invalid_scope",
                "A requested scope is not available to this app.",
                f"scope {name!r} is not available to app {client.name!r} at {audience}{hint}",
                fix=_fix(config, client, audience, name),
            )
    return Target(scopes=asked, audience=audience)


def _fix(config: ConfigSnapshot, client: Client, audience: str, name: str) -> str:
    """The command that solves it, quoted, since the scope comes from outside; `--api` replaces, so existing permissions are named too."""
    api = config.apis.get(audience)
    if name in OIDC_SCOPES:
        wanted = " ".join(f"--scope {known}" for known in (*client.oidc_scopes, name))
        return f"leave it out, or doorward app set {quote(client.name)} {wanted}"
    if api is None:
        having = [api.name for api in config.apis.values() if any(p.name == name for p in api.permissions)]
        if not having:
            return "leave it out: no API has such a permission (doorward api list)"
        return f"doorward app set {quote(client.name)} --api {quote(f'{having[0]}:{name}')}"
    if all(permission.name != name for permission in api.permissions):
        return f"leave it out: {audience} has no such permission (doorward api show {quote(api.name)})"
    wanted = ",".join([*client.access.get(audience, ()), name])
    return f"doorward app set {quote(client.name)} --api {quote(f'{audience}:{wanted}')}"


def _audience(
    config: ConfigSnapshot, client: Client, issuer: str, asked: tuple[str, ...], resource: str | None
) -> str | OAuthError:
    reachable = [identifier for identifier in client.access if identifier in config.apis]
    if resource is not None:
        meant = resources.find(resource, (*reachable, issuer))
        if meant is not None:
            return meant
        near = get_close_matches(resource, reachable, n=1)
        hint = f"; nearest {near[0]}" if near else ""
        return OAuthError(
            "invalid_target",
            "The requested resource is unknown, or not available to this app.",
            f"resource {resource!r} for app {client.name!r}{hint}",
        )
    if len(reachable) == 1:
        return reachable[0]
    wanted = [name for name in asked if name not in OIDC_SCOPES]
    if not wanted or not reachable:
        return issuer
    fitting = [identifier for identifier in reachable if set(wanted).issubset(client.access[identifier])]
    if len(fitting) == 1:
        return fitting[0]
    return OAuthError(
        "invalid_target",
        "Name the API that the token is for in the resource parameter.",
        f"app {client.name!r} reaches {len(reachable)} APIs and the scopes fit {len(fitting)} of them",
    )
