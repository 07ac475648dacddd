"""Lookup of an app, API, role, key or person by name, address or id; an error names the nearest match."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeVar

from doorward.core.login_name import normalise_email
from doorward.core.model.account import Account
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api, ConfigSnapshot, Role, StoredSigningKey
from doorward.core.model.problem import Noun
from doorward.core.text import same_as
from doorward.features.admin.error import not_found, refused
from doorward.features.oauth.clients.rules import resource
from doorward.storage.sql.store import Store

# Number of accounts read to find a near match: all of a small server, bounded on a large one.
_NEAR_AMONG = 2000


def find_client(config: ConfigSnapshot, given: str) -> Client:
    """By id, or by name without regard to case. Raises `AdminError`."""
    return _find("app", given, config.clients.values())


def find_api(config: ConfigSnapshot, given: str) -> Api:
    """By identifier, id, or name without regard to case. Raises `AdminError`."""
    identifier = resource.find(given, config.apis)
    if identifier is not None:
        return config.apis[identifier]
    return _find("api", given, config.apis.values(), also=config.apis)


def find_role(config: ConfigSnapshot, given: str) -> Role:
    """By name (exactly, else without regard to case) or id. Raises `AdminError`."""
    if given in config.roles:
        return config.roles[given]
    return _find("role", given, config.roles.values())


def find_key(config: ConfigSnapshot, given: str) -> StoredSigningKey:
    """By id. Raises `AdminError`."""
    for key in config.keys:
        if key.id == given:
            return key
    raise not_found("signing_key", given, [key.id for key in config.keys])


async def find_account(store: Store, given: str) -> Account:
    """By id or e-mail address. Raises `AdminError`."""
    found = await store.accounts.find(normalise_email(given) or given)
    if found:
        return found[0]
    if "@" not in given and not given.startswith("usr_"):
        raise refused("person_form", given=given)
    near = await store.accounts.page(limit=_NEAR_AMONG)
    raise not_found("person", given, [account.email for account in near if account.email is not None])


_N = TypeVar("_N", Client, Api, Role)


def _find(noun: Noun, given: str, among: Collection[_N], *, also: Iterable[str] = ()) -> _N:
    """The entry with this id, else with exactly this name, else the one whose name looks the same to people. `also` are further names
    for the nearest match. Raises `AdminError` where several match, as older versions allowed: none of them may be taken for another."""
    wanted = same_as(given)
    found = (
        [one for one in among if one.id == given]
        or [one for one in among if one.name == given]
        or [one for one in among if same_as(one.name) == wanted]
    )
    if not found:
        raise not_found(noun, given, [*also, *(one.name for one in among)])
    if len(found) > 1:
        raise refused("ambiguous", noun=noun, given=given, ids=tuple(one.id for one in found))
    return found[0]
