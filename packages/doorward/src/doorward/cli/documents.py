"""JSON documents of `--json`, one form per kind of object: everything that is registered, and never a secret or its hash."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from doorward.core.model.account import Account
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Role, StoredSigningKey
from doorward.core.model.message import Undelivered
from doorward.core.model.wrapped_key import WrappedKey
from doorward.features.admin.factors import FactorsOf


def of_account(account: Account) -> dict[str, Any]:
    """A person."""
    return {
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "locale": account.locale,
        "given_name": account.given_name,
        "family_name": account.family_name,
        "zoneinfo": account.zoneinfo,
        "roles": list(account.role_names),
        "has_password": account.password_hash is not None,
        "password_changed_at": account.password_changed_at,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
        "disabled_at": account.disabled_at,
    }


def of_factors(found: FactorsOf) -> dict[str, Any]:
    """A person's second factors: when each was set up and last used, what there is to say of a kind as a whole, and whether an operator
    requires one; the devices on which the second step is not asked for; no seed, no hash."""
    demand = found.demand
    return {
        **{name: value for one in found.summaries for name, value in one.members.items()},
        "factors": [to_builtins(one) for one in found.held],
        "devices": [to_builtins(one) for one in found.devices],
        "required": None
        if demand is None or demand.required_at is None
        else {"since": demand.required_at, "grace_until": demand.grace_until},
    }


def of_client(client: Client) -> dict[str, Any]:
    """An app."""
    document: dict[str, Any] = to_builtins(client)
    document["secrets"] = [
        {"created_at": secret.created_at, "expires_at": secret.expires_at} for secret in client.secrets
    ]
    return {"id": client.id, "client_id": client.id, **{k: v for k, v in document.items() if k != "id"}}


def of_undelivered(undelivered: Undelivered) -> dict[str, Any]:
    """Undelivered log-out notifications of an app."""
    return {name: value for name, value in to_builtins(undelivered).items() if name != "client_id"}


def of_role(role: Role) -> dict[str, Any]:
    """A role, without the database's own references to it."""
    document: dict[str, Any] = to_builtins(role)
    del document["key"]
    return document


def of_key(key: StoredSigningKey) -> dict[str, Any]:
    """A signing key: its public half."""
    document: dict[str, Any] = to_builtins(key)
    del document["sealed"]
    return document


def of_wrapping(wrapping: WrappedKey, *, in_use: str) -> dict[str, Any]:
    """A wrapping of the root secret: the key-encryption key's name, never the wrapped value."""
    return {
        "kek": wrapping.kek,
        "root_id": wrapping.id,
        "created_at": wrapping.created_at,
        "in_use": wrapping.kek == in_use,
    }
