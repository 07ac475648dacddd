"""What an API key allows now: its scopes, cut to what its owner may do at the API at this moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.api_key import ApiKey
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api, ConfigSnapshot, Role


class Allowed(Struct, frozen=True):
    """Permissions at one API, in the order of the key, and the owner's roles that give any there."""

    scopes: tuple[str, ...]
    roles: tuple[str, ...] = ()


NOTHING = Allowed(())


class VerifiedKey(Struct, frozen=True):
    """A live key with its right secret. `client` is its owner if that is an app; `until` is when this secret stops working."""

    key: ApiKey
    allowed: Allowed
    client: Client | None
    until: int


def of_person(account: Account, config: ConfigSnapshot) -> Mapping[str, tuple[str, ...]]:
    """By API, the permissions that a person's roles give now, in the order of the API."""
    held: dict[str, set[str]] = {}
    for name in account.role_names:
        role = config.roles_held.get(name)
        for audience, names in () if role is None else role.permissions.items():
            held.setdefault(audience, set()).update(names)
    return {
        audience: found
        for audience, names in held.items()
        if (api := config.apis.get(audience)) is not None and (found := _offered(api, names))
    }


def of_app(client: Client, config: ConfigSnapshot) -> Mapping[str, tuple[str, ...]]:
    """By API, the permissions that an app has now."""
    return {
        audience: found
        for audience, names in client.access.items()
        if (api := config.apis.get(audience)) is not None and (found := _offered(api, names))
    }


def cut(key: ApiKey, owner: Account | Client | None, config: ConfigSnapshot) -> Allowed:
    """What the key allows. Nothing for an owner who is gone or disabled, and at an API that is gone."""
    if isinstance(owner, Account):
        if owner.id != key.account_id or owner.disabled_at is not None:
            return NOTHING
        reaching = tuple(
            role.name
            for name in owner.role_names
            if (role := config.roles_held.get(name)) is not None and key.audience in role.permissions
        )
        return Allowed(_narrowed(key, of_person(owner, config)), reaching)
    if owner is None or key.account_id is not None or owner.id != key.client_id:
        return NOTHING
    return Allowed(_narrowed(key, of_app(owner, config)))


def narrowed(before: ConfigSnapshot, after: ConfigSnapshot) -> tuple[str, ...]:
    """The APIs at which a role or an app may do less after a change of the configuration: keys for these may allow less."""
    found: dict[str, None] = {}
    for audience, api in before.apis.items():
        left = after.apis.get(audience)
        if left is None or not _names(api) <= _names(left):
            found[audience] = None
    for old, new in (
        *((role.permissions, after.roles_held.get(held)) for held, role in before.roles_held.items()),
        *((client.access, after.clients.get(key)) for key, client in before.clients.items()),
    ):
        kept = new.permissions if isinstance(new, Role) else {} if new is None else new.access
        for audience, names in old.items():
            if audience in before.apis and not set(names) <= set(kept.get(audience, ())):
                found[audience] = None
    return tuple(found)


def _names(api: Api) -> frozenset[str]:
    return frozenset(one.name for one in api.permissions)


def _narrowed(key: ApiKey, held: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    may = frozenset(held.get(key.audience, ()))
    return tuple(name for name in key.scopes if name in may)


def _offered(api: Api, names: set[str] | Sequence[str]) -> tuple[str, ...]:
    return tuple(one.name for one in api.permissions if one.name in names)
