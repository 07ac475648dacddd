"""Networks in which an address is counted. An IPv6 subscriber holds a block of addresses, so blocks are counted (RFC 6177)."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from msgspec import Struct


class Block(Struct, frozen=True):
    """A network that counts as one requester; its limit is `times` that of one address."""

    name: str
    times: int


BLOCKS: Final = ((64, 1), (56, 4), (48, 16))
"""IPv6 prefixes, and the factor of each for the limit of one address.

A /64 is one link: a household, an office, a phone, a rented machine. A /56 is what many providers give to one household, a /48 what
they give to one company (RFC 6177 §2), and what anybody can rent for a few euros a month: counted by /64 alone, it would have 65,536
times the attempts of an IPv4 address. But 256 phones of a mobile network share a /56, and whole towns a /48; so larger blocks have
higher limits, though by far not in proportion to their size. Of one hundred, four hundred and sixteen hundred wrong guesses in a
quarter of an hour, the first is much for an office, and the last is much for a town.
"""


@lru_cache(maxsize=4096)
def blocks(address: str) -> tuple[Block, ...]:
    """The networks of an address, the narrowest first: an IPv4 address by itself, in any notation, an IPv6 address by its /64, /56 and
    /48. Any other text (an account's id) is a network of its own."""
    parsed = _parsed(address)
    if not isinstance(parsed, IPv6Address):
        return (Block(address if parsed is None else str(parsed), 1),)
    return tuple(Block(_block(parsed, length), times) for length, times in BLOCKS)


def network(address: str) -> str:
    """The narrowest of them: an IPv4 address, an IPv6 /64."""
    return blocks(address)[0].name


def site(address: str) -> str:
    """The widest of them: an IPv4 address, an IPv6 /48."""
    return blocks(address)[-1].name


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    # a dual-stack socket shows an IPv4 peer in this form, and a proxy may write it in three others (RFC 4291 §2.5.5.2)
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def _block(address: IPv6Address, length: int) -> str:
    return str(IPv6Network((address, length), strict=False))
