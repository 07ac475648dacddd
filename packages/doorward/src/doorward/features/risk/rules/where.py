"""Origin of a request: its network, and where the operator's files place it."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_network
from typing import Final

from doorward.core.model.place import public_address
from doorward.core.model.risk import Whereabouts
from doorward.core.ports.places import Places

PREFIXES: Final = (24, 48)
"""Of IPv4 and IPv6: a household or an office moves within such a block when its provider gives it another address."""


def whereabouts(address: str | None, places: Places) -> Whereabouts:
    """The origin of a request from `address`. A private, local, shared or documentation address says nothing about anybody, and has
    neither network nor place."""
    found = public_address(address or "")
    if found is None:
        return Whereabouts()
    prefix = PREFIXES[0] if isinstance(found, IPv4Address) else PREFIXES[1]
    text = str(found)
    return Whereabouts(
        str(ip_network((found, prefix), strict=False)), places.find(text), places.network(text)
    )
