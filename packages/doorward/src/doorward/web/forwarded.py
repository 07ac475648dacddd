"""Client address of a request behind trusted proxies, from X-Forwarded-For (which has no specification)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, final

MOST_HOPS: Final = 64
"""Entries that are read, from the right. Each trusted proxy adds one; more are an attack."""


@final
class Proxies:
    """The networks of trusted proxies."""

    __slots__ = ("_networks",)

    def __init__(self, networks: Sequence[IPv4Network | IPv6Network]) -> None:
        self._networks = tuple(_plain(network) for network in networks)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def believes(self, text: str) -> bool:
        """Whether an address is a trusted proxy."""
        return self._ours(without_port(text))

    def client(self, peer: str, forwarded: Iterable[bytes], *, believed: bool = False) -> str:
        """The nearest entry that is not a trusted proxy, without its port; the peer itself if it is not trusted (unless `believed`), or
        if its entry is not an address. `forwarded` are the header's values, in order.

        They are read from the right: entries further left come from untrusted senders and may be forged.
        """
        if not believed and not self.believes(peer):
            return peer
        hops = [hop for value in forwarded for hop in value.decode("latin-1").split(",")]
        for hop in hops[: -MOST_HOPS - 1 : -1]:
            address = without_port(hop.strip())
            if not self._ours(address):
                return peer if address is None else str(address)
        return peer

    def _ours(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


@lru_cache(maxsize=1024)
def without_port(text: str) -> IPv4Address | IPv6Address | None:
    """The address in `203.0.113.7`, `203.0.113.7:51234` (as Azure's gateway and IIS write it), `2001:db8::7`, `[2001:db8::7]` or
    `[2001:db8::7]:443`; an IPv4-mapped IPv6 address becomes the IPv4 address. None for anything else."""
    host = text
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        if not closed or (port and not _is_port(port)):
            return None
    elif text.count(":") == 1:
        host, colon, port = text.partition(":")
        if not _is_port(colon + port):
            return None
    try:
        found = ip_address(host)
    except ValueError:
        return None
    if not isinstance(found, IPv6Address):
        return None if text.startswith("[") else found
    # A dual-stack socket shows an IPv4 peer as ::ffff:10.0.0.1.
    return found.ipv4_mapped or found


def _plain(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    return (
        network if mapped is None or network.prefixlen < 96 else IPv4Network((mapped, network.prefixlen - 96))
    )


def _is_port(text: str) -> bool:
    return len(text) <= 6 and text[:1] == ":" and text[1:].isascii() and text[1:].isdigit()
