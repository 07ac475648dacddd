"""Which scopes and which API does the request name? (RFC 6749 §3.3, RFC 8707 §2, OpenID Connect Core §5.4)"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Final

from msgspec import Struct

from doorward.model.catalog import Catalog
from doorward.model.client import Client
from doorward.model.refusal import Refusal

OIDC_SCOPES: Final = ("openid", "profile", "email", "offline_access")
_TOKEN: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")


class Target(Struct, frozen=True):
    """The scopes as asked, in order, and the one audience that the token is for (line 37)."""

    scopes: tuple[str, ...]
    audience: str


def target(
    *, catalog: Catalog, client: Client, issuer: str, scope: str | None, resource: str | None
) -> Target | Refusal:
    """Settle audience and scopes together: permission names mean something only at an API.

    Without `scope` nothing is asked for, and the token carries no scope: nobody gets by default what they did not name.
    """
    asked = tuple(dict.fromkeys(scope.split(" "))) if scope else ()
    asked = tuple(name for name in asked if name)
    for name in asked:
        if not _TOKEN.fullmatch(name):
            return Refusal("invalid_scope", "The scope parameter is malformed.", f"scope value {name!r}")
    audience = _audience(catalog, client, issuer, asked, resource)
    if isinstance(audience, Refusal):
        return audience
    known = {*client.oidc_scopes, *client.access.get(audience, ())}
    for name in asked:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; nearest {near[0]}" if near else ""
            return Refusal(
                "invalid_scope",
                "A requested scope is not available to this app.",
                f"scope {name!r} is not available to app {client.name!r} at {audience}{hint}. "
                f"Fix: doorward app set {client.name} --api '{audience}:{name}'",
            )
    return Target(scopes=asked, audience=audience)


def _audience(
    catalog: Catalog, client: Client, issuer: str, asked: tuple[str, ...], resource: str | None
) -> str | Refusal:
    reachable = [identifier for identifier in client.access if identifier in catalog.apis]
    if resource is not None:
        if resource == issuer or resource in reachable:
            return resource
        near = get_close_matches(resource, reachable, n=1)
        hint = f"; nearest {near[0]}" if near else ""
        return Refusal(
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
    return Refusal(
        "invalid_target",
        "Name the API that the token is for in the resource parameter.",
        f"app {client.name!r} reaches {len(reachable)} APIs and the scopes fit {len(fitting)} of them",
    )
