"""Addresses of a host that is called: looked up once, checked, and then connected to (RFC 6890).

Whoever chooses the name of a host also chooses what it resolves to. A check by name alone, or a second look-up after the check,
lets that name lead to this machine, to its private network, or to the credentials that clouds hand out at 169.254.169.254.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from doorward.core.web_origin import loopback

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, in the order to try. Raises OSError."""

MayBePrivate = Callable[[str], bool]
"""Whether a host may have an address that is not public: the operator has named it."""

_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
"""An IPv4 address in the last 32 bits (RFC 6052 §2.1, RFC 8215)."""
_ALIAS: Final = IPv6Network("::/96")
"""IPv4-compatible addresses (RFC 4291 §2.5.5.1), which some systems still connect to."""


class AddressRefused(Exception):
    """The host has an address that may not be connected to. The text is safe to log."""


def any_host(host: str) -> bool:
    """Every host was named by the operator: gateways of the settings, and apps that an operator registered."""
    del host
    return True


def no_host(host: str) -> bool:
    """No host was named by the operator."""
    del host
    return False


async def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, from the machine's resolver. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def checked_addresses(
    host: str, port: int, *, resolve: Resolve, may_be_private: MayBePrivate, local_only: bool
) -> Sequence[str]:
    """The addresses to connect to. One that is refused refuses the host: a name with a public and a private address is an attack.

    `local_only`: only this machine is allowed (http in development). Raises `AddressRefused`, OSError.
    """
    addresses = await resolve(host, port)
    private = may_be_private(host)
    for address in addresses:
        if local_only:
            problem = None if loopback(address) else "http is for this machine only"
        else:
            problem = address_problem(address, private=private)
        if problem is not None:
            raise AddressRefused(f"its host has the address {address}, {problem}")
    if not addresses:
        raise AddressRefused("its host has no address")
    return addresses


def address_problem(text: str, *, private: bool) -> str | None:
    """Why an address may not be connected to; None: it may. With `private`, addresses of this machine and of its networks may, too, but never
    link-local ones (the metadata services of clouds), nor those of more than one machine, or of none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return "which is none"
    inner = _embedded(address) if isinstance(address, IPv6Address) else None
    if inner is not None:
        return address_problem(str(inner), private=private)
    if address.is_link_local:
        return "which is link-local"
    if address.is_multicast or address.is_unspecified or _reserved(address):
        return "which is not that of one machine"
    if not private and not _public(address):
        return "which is not public"
    return None


def _public(address: IPv4Address | IPv6Address) -> bool:
    site_local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not site_local


def _reserved(address: IPv4Address | IPv6Address) -> bool:
    # IPv6 marks ranges as reserved that are only not assigned yet; those are not public either
    return isinstance(address, IPv4Address) and address.is_reserved


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a connection to this one ends at."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _ALIAS and int(address) > 1:
        return IPv4Address(int(address))
    return None
