"""Entitlement: the scopes that person, app and API have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.features.oauth.clients.rules.scope import OIDC_SCOPES


class Granted(Struct, frozen=True):
    """`scopes` for the token's `scope`; `permissions` are those of them that the API defines, `roles` those with permissions at this
    API."""

    scopes: tuple[str, ...]
    permissions: tuple[str, ...]
    roles: tuple[str, ...]


def entitle(
    *,
    config: ConfigSnapshot,
    client: Client,
    audience: str,
    scopes: Iterable[str],
    role_names: Sequence[str] | None,
) -> Granted:
    """Reduce the requested `scopes` to those permitted at `audience` (an API identifier, or the issuer).

    With `role_names` None the app acts for itself: app and API decide, and OpenID scopes are dropped. The result is computed at
    every refresh, so that a removed role is missing in the next token. The order is that of `scopes`.
    """
    api = config.apis.get(audience)
    offered = frozenset(permission.name for permission in api.permissions) if api else frozenset[str]()
    usable = offered.intersection(client.access.get(audience, ()))
    roles: tuple[str, ...] = ()
    if role_names is not None:
        reaching = [
            role
            for held in role_names
            if (role := config.roles_held.get(held)) and audience in role.permissions
        ]
        roles = tuple(role.name for role in reaching)
        usable = usable.intersection(name for role in reaching for name in role.permissions[audience])
    openid = (
        frozenset(client.oidc_scopes).intersection(OIDC_SCOPES)
        if role_names is not None
        else frozenset[str]()
    )
    asked = tuple(dict.fromkeys(scopes))
    permissions = tuple(name for name in asked if name in usable)
    return Granted(
        scopes=tuple(name for name in asked if name in usable or name in openid),
        permissions=permissions,
        roles=roles,
    )
