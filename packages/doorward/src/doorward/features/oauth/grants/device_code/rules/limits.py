"""Limits of device requests: each leaves a row for a day, and costs its sender one line of text (R34, R93)."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from doorward.features.rate_limits.rules.network import blocks

NETWORK_PARTS: Final = 20
"""One address may begin this part of the sign-ins that it may begin: with the defaults 100 in a quarter of an hour, a /56 four times and
a /48 sixteen times as many."""


class Counted(Struct, frozen=True):
    """A name under which requests are counted, and the part of the limit that applies to it."""

    who: str
    parts: int


def counted(client_id: str, address: str) -> tuple[Counted, ...]:
    """The counters of a request of one app from `address`. They are separate from those of sign-ins, so that a device cannot use up
    the sign-ins of its network. The app's own is the whole limit: with the defaults 2000."""
    networks = (
        Counted(f"device {block.name}", max(1, NETWORK_PARTS // block.times)) for block in blocks(address)
    )
    return (*networks, Counted(f"device {client_id}", 1))
