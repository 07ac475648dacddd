"""Directory of apps: one look-up for all endpoints and pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from doorward.core.errors import OAuthError
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client, self_registered
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.features.clients.rules import open_access, with_open_access
from doorward.features.clients.slots import ClientSource

UNKNOWN: Final = "This app is not registered here."


def unknown(client_id: str) -> OAuthError:
    """The refusal of an id that nothing here knows."""
    return OAuthError(
        "invalid_client",
        UNKNOWN,
        f"client_id {client_id[:80]!r} is unknown",
        fix="doorward app list names the ids, doorward app create registers an app",
    )


@final
class ClientDirectory:
    """Apps of the configuration snapshot are found in memory, all others by their source.

    An endpoint that an app calls, or that a browser calls for it, uses `resolve` where the app is named first, and `find` from then on.
    """

    __slots__ = ("_config", "_sources")

    def __init__(self, *, config: ConfigSource, sources: Sequence[ClientSource]) -> None:
        self._config = config
        self._sources = sources

    async def find(self, client_id: str | None) -> Client | None:
        """The app with this id as it is known; nothing is fetched. Raises `StoreUnavailable`."""
        if not client_id:
            return None
        client = self._config.current().clients.get(client_id)
        if client is not None or not self_registered(client_id):
            return client
        for source in self._sources:
            if source.owns(client_id):
                found = await source.find(client_id)
                return None if found is None else self._with_open_access(found)
        return None

    async def resolve(self, client_id: str, caller: Caller, now: int) -> Client | OAuthError:
        """The app at the beginning of a request of its own; its document may be fetched. The refusal is `invalid_client`, and says for
        people and for the log why there is none. Raises `StoreUnavailable`."""
        client = self._config.current().clients.get(client_id)
        if client is not None:
            return client
        for source in self._sources:
            if source.owns(client_id):
                found = await source.resolve(client_id, caller, now)
                return found if isinstance(found, OAuthError) else self._with_open_access(found)
        return unknown(client_id)

    async def name(self, client_id: str | None) -> str | None:
        """The app's name, for pages and logs."""
        client = await self.find(client_id)
        return client.name if client is not None else None

    def _with_open_access(self, client: Client) -> Client:
        opened = open_access(self._config.current(), client.registered_by)
        return with_open_access(client, opened) if opened else client
