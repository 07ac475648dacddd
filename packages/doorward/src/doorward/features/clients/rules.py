"""Access of apps that no operator registered: the open permissions of open APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import structs

from doorward.core.model.client import Client, RegisteredBy
from doorward.core.model.config_snapshot import ConfigSnapshot, OpenTo

_OPEN: Final[Mapping[OpenTo, frozenset[RegisteredBy]]] = {
    "none": frozenset(),
    "documents": frozenset({"document"}),
    # a document says at least whose app it is, so what is open to less is open to it
    "registration": frozenset({"document", "app"}),
}


def open_access(config: ConfigSnapshot, registered_by: RegisteredBy) -> dict[str, tuple[str, ...]]:
    """API identifier -> permissions, for which such an app may ask without being given them. A permission that the API no longer has is
    left out."""
    found: dict[str, tuple[str, ...]] = {}
    for api in config.apis.values():
        if registered_by in _OPEN[api.open_to]:
            defined = {permission.name for permission in api.permissions}
            found[api.identifier] = tuple(name for name in api.open_permissions if name in defined)
    return found


def with_open_access(client: Client, opened: Mapping[str, tuple[str, ...]]) -> Client:
    """The app with what `opened` adds to its own access."""
    access = dict(client.access)
    for identifier, names in opened.items():
        access[identifier] = tuple(dict.fromkeys((*access.get(identifier, ()), *names)))
    return structs.replace(client, access=access)
