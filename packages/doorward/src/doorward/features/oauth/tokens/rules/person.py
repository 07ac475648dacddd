"""Claims about a person, by scope and by name (OpenID Connect Core §5.1, §5.4, §5.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from doorward.core.model.account import Account
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot

BY_SCOPE: Final[dict[str, tuple[str, ...]]] = {
    "profile": (
        "name",
        "given_name",
        "family_name",
        "preferred_username",
        "locale",
        "zoneinfo",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "roles": ("roles",),
    "groups": ("groups",),
}
_SCOPE_OF: Final = {name: scope for scope, names in BY_SCOPE.items() for name in names}
CLAIMS: Final = ("sub", *_SCOPE_OF)


def claims(
    account: Account,
    client: Client,
    *,
    config: ConfigSnapshot,
    scopes: Iterable[str],
    asked: Mapping[str, Any],
) -> dict[str, Any]:
    """The claims of `scopes`, and those `asked` for by name (one member of the `claims` parameter).

    A request by name gives no more than the registration: a claim needs its scope among the app's own. So does a scope, since an API
    may have a permission of the same name. Unknown values are left out (§5.3.2).
    """
    mine = frozenset(client.oidc_scopes)
    given = mine.intersection(scopes)
    wanted = {name: None for scope in BY_SCOPE if scope in given for name in BY_SCOPE[scope]}
    wanted |= {name: None for name in asked if _SCOPE_OF.get(name) in mine}
    if not wanted:
        return {}
    # The user name is the e-mail address, so it is given only with access to the address.
    addressed = "email" in given or ("email" in asked and "email" in mine)
    held = tuple(role.name for role in config.held(account))
    known = {
        "name": account.name,
        "given_name": account.given_name,
        "family_name": account.family_name,
        "preferred_username": account.email if addressed else None,
        "locale": account.locale,
        "zoneinfo": account.zoneinfo,
        "updated_at": account.updated_at,
        "email": account.email,
        "email_verified": True if account.email is not None else None,
        "roles": held,
        "groups": held,
    }
    return {name: known[name] for name in wanted if known[name] is not None}


def scopes_behind(client: Client, claims_asked: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """The scopes of which the `claims` parameter requests a part, for the consent page."""
    names = {name for place in ("userinfo", "id_token") for name in claims_asked.get(place) or ()}
    return tuple(
        scope for scope in BY_SCOPE if scope in client.oidc_scopes and not names.isdisjoint(BY_SCOPE[scope])
    )
