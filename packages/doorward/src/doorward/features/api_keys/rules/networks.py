"""Networks from which an API key works: their spelling, and whether an address belongs to one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

MOST_NETWORKS: Final = 20


def parse(given: Iterable[str]) -> tuple[str, ...] | str:
    """The networks in their usual spelling (CIDR; one address is a network of its own), without duplicates; or the first text that is
    none. An address with bits behind the prefix is refused: it may be a slip of the pen for a narrower network."""
    found: dict[str, None] = {}
    for text in given:
        try:
            found[str(ip_network(text.strip()))] = None
        except ValueError:
            return text
    return tuple(found)


def within(address: str, networks: Sequence[str]) -> bool:
    """Whether `address` may use a key with these networks; all may without any. An IPv4 address inside IPv6 counts as what it is."""
    if not networks:
        return True
    try:
        asked = ip_address(address)
    except ValueError:
        return False
    if isinstance(asked, IPv6Address) and asked.ipv4_mapped is not None:
        asked = asked.ipv4_mapped
    return any(asked in ip_network(network) for network in networks)
