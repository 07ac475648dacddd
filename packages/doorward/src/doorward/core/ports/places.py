"""The operator's files about IP addresses: places, and kinds of networks."""

from __future__ import annotations

from typing import Protocol

from doorward.core.model.place import NetworkKind, Place


class Places(Protocol):
    """Answers from memory or a local file, and raises nothing: an unknown address, a private one and a broken file give None."""

    def find(self, address: str) -> Place | None:
        """Where this IP address is; None if that is not known."""
        ...

    def network(self, address: str) -> NetworkKind | None:
        """The kind under which the operator listed the network of this IP address; None if it is in no list."""
        ...
