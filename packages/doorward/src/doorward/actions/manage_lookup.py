"""Which app, API, role or person is meant by a name, an address or an id? Nearest suggestion when none is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from doorward.actions.manage_refused import ManageRefused, not_found
from doorward.model.account import Account
from doorward.model.catalog import Api, Catalog, Role, SigningKey
from doorward.model.client import Client
from doorward.ports.store import Store
from doorward.rules.identify.account import normalise_email
from doorward.rules.permit import resource

# How many people are read to find a near miss: enough for a typo in a small house, bounded in a large one.
_NEAR_AMONG = 2000


def find_client(catalog: Catalog, given: str) -> Client:
    """By id, or by name without regard to case. Raises `ManageRefused`."""
    by_id = catalog.clients.get(given)
    if by_id is not None:
        return by_id
    named = [client for client in catalog.clients.values() if client.name.casefold() == given.casefold()]
    if named:
        return named[0]
    raise not_found("app", given, _names(catalog.clients), "doorward app list")


def find_api(catalog: Catalog, given: str) -> Api:
    """By identifier, id, or name without regard to case. Raises `ManageRefused`."""
    identifier = resource.find(given, catalog.apis)
    if identifier is not None:
        return catalog.apis[identifier]
    for api in catalog.apis.values():
        if given in {api.id, api.name} or api.name.casefold() == given.casefold():
            return api
    known = [name for api in catalog.apis.values() for name in (api.identifier, api.name)]
    raise not_found("API", given, known, "doorward api list")


def find_role(catalog: Catalog, given: str) -> Role:
    """By name (exactly, else without regard to case) or id. Raises `ManageRefused`."""
    if given in catalog.roles:
        return catalog.roles[given]
    for role in catalog.roles.values():
        if role.id == given or role.name.casefold() == given.casefold():
            return role
    raise not_found("role", given, catalog.roles, "doorward role list")


def find_key(catalog: Catalog, given: str) -> SigningKey:
    """By id. Raises `ManageRefused`."""
    for key in catalog.keys:
        if key.id == given:
            return key
    raise not_found("signing key", given, [key.id for key in catalog.keys], "doorward keys list")


async def find_account(store: Store, given: str) -> Account:
    """By id or e-mail address. Raises `ManageRefused`."""
    found = await store.accounts.find(normalise_email(given) or given)
    if found:
        return found[0]
    if "@" not in given and not given.startswith("usr_"):
        raise ManageRefused(
            f"There is no person {given}.", "Name people by e-mail address or id: doorward user list"
        )
    near = await store.accounts.page(limit=_NEAR_AMONG)
    raise not_found("person", given, [account.email for account in near], "doorward user list")


def _names(clients: Mapping[str, Client]) -> Iterable[str]:
    return [client.name for client in clients.values()]
