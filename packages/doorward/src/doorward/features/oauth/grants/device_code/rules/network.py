"""Comparison of the device's network with that of the person's browser, which the page shows (RFC 8628 §5.4)."""

from __future__ import annotations

from doorward.features.rate_limits.rules import network


def same(device: str, browser: str) -> bool | None:
    """Whether both addresses are in one network: the same IPv4 address, or the same IPv6 /64. None where it cannot be told, such as for
    an IPv4 and an IPv6 address, which one household can have at a time."""
    one, other = network.network(device), network.network(browser)
    if not one or not other:
        return None
    if one == other:
        return True
    return False if (":" in one) == (":" in other) else None
