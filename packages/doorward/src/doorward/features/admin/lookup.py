"""Lookup of an app, API, role, key or person by name, address or id; an error names the nearest match."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from doorward.core.login_name import normalise_email
from doorward.core.model.account import Account
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api, Catalog, Role, SigningKey
from doorward.core.model.problem import Noun
from doorward.core.text import same_as
from doorward.features.admin.error import not_found, refused
from doorward.features.oauth.clients.rules import resource
from doorward.storage.sql.store import Store

# Number of accounts read to find a near match: all of a small server, bounded on a large one.
_NEAR_AMONG = 2000


def find_client(catalog: Catalog, given: str) -> Client:
    """By id, or by name without regard to case. Raises `AdminError`."""
    by_id = catalog.clients.get(given)
    if by_id is not None:
        return by_id
    named = _called("app", given, catalog.clients.values())
    if named is not None:
        return named
    raise not_found("app", given, [client.name for client in catalog.clients.values()])


def find_api(catalog: Catalog, given: str) -> Api:
    """By identifier, id, or name without regard to case. Raises `AdminError`."""
    identifier = resource.find(given, catalog.apis)
    if identifier is not None:
        return catalog.apis[identifier]
    for api in catalog.apis.values():
        if given == api.id:
            return api
    named = _called("api", given, catalog.apis.values())
    if named is not None:
        return named
    known = [name for api in catalog.apis.values() for name in (api.identifier, api.name)]
    raise not_found("api", given, known)


def find_role(catalog: Catalog, given: str) -> Role:
    """By name (exactly, else without regard to case) or id. Raises `AdminError`."""
    if given in catalog.roles:
        return catalog.roles[given]
    for role in catalog.roles.values():
        if role.id == given:
            return role
    named = _called("role", given, catalog.roles.values())
    if named is not None:
        return named
    raise not_found("role", given, catalog.roles)


def find_key(catalog: Catalog, given: str) -> SigningKey:
    """By id. Raises `AdminError`."""
    for key in catalog.keys:
        if key.id == given:
            return key
    raise not_found("signing_key", given, [key.id for key in catalog.keys])


async def find_account(store: Store, given: str) -> Account:
    """By id or e-mail address. Raises `AdminError`."""
    found = await store.accounts.find(normalise_email(given) or given)
    if found:
        return found[0]
    if "@" not in given and not given.startswith("usr_"):
        raise refused("person_form", given=given)
    near = await store.accounts.page(limit=_NEAR_AMONG)
    raise not_found("person", given, [account.email for account in near])


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


_N = TypeVar("_N", bound=_Named)


def _called(noun: Noun, given: str, among: Iterable[_N]) -> _N | None:
    """The entry with exactly this name, else the one whose name looks the same to people. Raises `AdminError` where several match, as
    older versions allowed: none of them may be taken for another."""
    every = list(among)
    exact = [one for one in every if one.name == given]
    wanted = same_as(given)
    found = exact or [one for one in every if same_as(one.name) == wanted]
    if len(found) > 1:
        raise refused("ambiguous", noun=noun, given=given, ids=tuple(one.id for one in found))
    return found[0] if found else None
