"""Place and network of an IP address, as far as the operator's files tell."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, Literal

from msgspec import Struct

NetworkKind = Literal["hosting", "anonymous", "company"]
"""`hosting`: rented machines. `anonymous`: VPN providers, proxies and relays for anybody. `company`: an exit that the operator listed,
behind which many honest people sit."""

NETWORK_KINDS: Final[tuple[NetworkKind, ...]] = ("company", "anonymous", "hosting")
"""The first of them that lists an address counts: a company may rent its exit from a hosting provider."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
_DOCUMENTATION: Final = IPv6Network("3fff::/20")
"""RFC 9637; older versions of Python take it for public."""


class Place(Struct, frozen=True):
    """Where an address is used, approximately. `country` is an ISO 3166-1 code of two letters; `region` and `city` are names; latitude and
    longitude are in degrees, both or neither; `radius` is in kilometres around them. None: the file does not say."""

    country: str
    region: str | None = None
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    radius: int | None = None

    @property
    def words(self) -> str:
        """City, region and country, as far as they are known."""
        return ", ".join(one for one in (self.city, self.region, self.country) if one)


def public_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address, if it is one of the public Internet: only such addresses say where somebody is, or whether two people share a network.

    None for private networks, this machine, link-local, shared (RFC 6598), documentation and reserved addresses (RFC 6890), and for what is
    no address, such as `unix:`. An IPv4 address inside IPv6 (mapped, RFC 4291 §2.5.5.2; NAT64, RFC 6052; 6to4, RFC 3056) is returned as
    IPv4.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        address = _inner(address) or address
    if isinstance(address, IPv6Address) and (address.is_site_local or address in _DOCUMENTATION):
        return None
    if not address.is_global or address.is_multicast or address.is_reserved:
        return None
    return address


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
