"""Memory of the Authorization headers whose secret was verified under the configuration in force."""

from __future__ import annotations

from hashlib import sha256
from typing import Final, final

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot

FOREVER: Final = 1 << 62


@final
class VerifiedHeaders:
    """A service sends the same header with each request: reading and verifying it gives the same app until the configuration changes, of
    which secrets are a part, or a secret expires.

    Only the last accepted header of each app is kept, by its SHA-256: so nobody without a secret fills the memory, no app takes the room
    of others by writing its header in many ways, and no secret stays here. All are dropped with the snapshot: with a secret that was
    replaced, and with an app that was changed or deleted.
    """

    __slots__ = ("_config", "_known", "_last")

    def __init__(self) -> None:
        self._config: ConfigSnapshot | None = None
        self._known: dict[bytes, tuple[Client, int]] = {}
        self._last: dict[str, bytes] = {}
        """The header of each app."""

    def find(self, config: ConfigSnapshot, header: str, now: int) -> Client | None:
        """The app of a header that was verified under this very snapshot, at `now` (seconds); None when it has to be verified."""
        if config is not self._config:
            self._config, self._known, self._last = config, {}, {}
        known = self._known.get(_mark(header))
        return known[0] if known is not None and now < known[1] else None

    def keep(self, config: ConfigSnapshot, header: str, client: Client, now: int) -> None:
        """Remember a header that was verified at `now` as the `client`'s, until the first of its live secrets expires. Nothing is kept
        for an app that is not of this snapshot, nor when another one is in force by now."""
        if config is self._config and config.clients.get(client.id) is client:
            ends = [one.expires_at for one in client.secrets if one.expires_at is not None]
            until = min((end for end in ends if end > now), default=FOREVER)
            self._known.pop(self._last.get(client.id, b""), None)
            self._last[client.id] = mark = _mark(header)
            self._known[mark] = (client, until)


def _mark(header: str) -> bytes:
    return sha256(header.encode("utf-8", "surrogatepass")).digest()
