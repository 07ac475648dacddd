"""Cache of what follows from one configuration snapshot."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, Generic, TypeVar, final

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
MAX_REMEMBERED: Final = 4096


@final
class SnapshotCache(Generic[K, V]):
    """Results of a rule that depends on nothing but the snapshot and the key. It is empty again under every new snapshot, and bounded, so
    that invented keys cannot fill the memory."""

    __slots__ = ("_config", "_known")

    def __init__(self) -> None:
        self._config: ConfigSnapshot | None = None
        self._known: dict[K, V] = {}

    def get(self, config: ConfigSnapshot, client: Client, key: K) -> V | None:
        """The result that was kept. None for an app that is not of this snapshot: the snapshot may have changed during the request, and
        what the app of the old one may do must not be found under the new one."""
        if config is not self._config:
            self._config, self._known = config, {}
        return self._known.get(key) if config.clients.get(client.id) is client else None

    def keep(self, config: ConfigSnapshot, client: Client, key: K, value: V) -> None:
        """Keep a result, after `get` found none."""
        if config.clients.get(client.id) is client and len(self._known) < MAX_REMEMBERED:
            self._known[key] = value
