"""An invented Internet: networks in cities, and what an operator's files say of them, with the errors that such files have.

Imports no rule of the server. Addresses are public ones whose real users are of no matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from random import Random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from trials.risk.people import Person

COUNTRIES: Final[dict[str, Sequence[tuple[str, float, float]]]] = {
    "DE": (
        ("Berlin", 52.5, 13.4),
        ("Munich", 48.1, 11.6),
        ("Hamburg", 53.6, 10.0),
        ("Cologne", 50.9, 7.0),
        ("Leipzig", 51.3, 12.4),
    ),
    "FR": (
        ("Paris", 48.9, 2.4),
        ("Lyon", 45.8, 4.8),
        ("Lille", 50.6, 3.1),
        ("Nantes", 47.2, -1.6),
        ("Toulouse", 43.6, 1.4),
    ),
    "GB": (
        ("London", 51.5, -0.1),
        ("Leeds", 53.8, -1.5),
        ("Bristol", 51.5, -2.6),
        ("Glasgow", 55.9, -4.3),
        ("Cardiff", 51.5, -3.2),
    ),
    "ES": (
        ("Madrid", 40.4, -3.7),
        ("Barcelona", 41.4, 2.2),
        ("Seville", 37.4, -6.0),
        ("Valencia", 39.5, -0.4),
        ("Bilbao", 43.3, -2.9),
    ),
    "PL": (("Warsaw", 52.2, 21.0), ("Krakow", 50.1, 19.9), ("Gdansk", 54.4, 18.6), ("Poznan", 52.4, 16.9)),
    "US": (
        ("New York", 40.7, -74.0),
        ("Chicago", 41.9, -87.6),
        ("Dallas", 32.8, -96.8),
        ("Seattle", 47.6, -122.3),
    ),
    "BR": (("Sao Paulo", -23.6, -46.6), ("Recife", -8.1, -34.9), ("Curitiba", -25.4, -49.3)),
    "IN": (("Delhi", 28.6, 77.2), ("Mumbai", 19.1, 72.9), ("Chennai", 13.1, 80.3)),
    "NG": (("Lagos", 6.5, 3.4), ("Abuja", 9.1, 7.5)),
    "VN": (("Hanoi", 21.0, 105.8), ("Da Nang", 16.1, 108.2)),
    "RU": (("Moscow", 55.8, 37.6), ("Kazan", 55.8, 49.1)),
    "JP": (("Tokyo", 35.7, 139.7), ("Osaka", 34.7, 135.5)),
}
MARKETS: Final = ("DE", "FR", "GB", "ES")
"""Where the people live."""
NEIGHBOURS: Final = {"DE": "PL", "FR": "ES", "GB": "FR", "ES": "FR"}

Row = tuple[str, str, str, float, float, int]
"""Of a place database: network, country, city, latitude, longitude, radius in km."""
City = tuple[str, str]
"""Country and name."""


@dataclass
class Pool:
    """Networks of one provider in one area. `links` are /24 networks, of which each customer gets an address for some time."""

    links: list[int]
    prefix6: int | None = None

    def address(self, random: Random) -> str:
        """Some address of it."""
        return str(IPv4Address(random.choice(self.links) + random.randrange(1, 255)))

    def address6(self, random: Random) -> str:
        """An address in some /56 of it, which is one household."""
        household = random.randrange(1 << 16) << 72
        return str(IPv6Address((self.prefix6 or 0) + household + random.getrandbits(64)))


@dataclass
class World:
    """All networks, and the operator's files about them."""

    random: Random
    homes: dict[City, list[Pool]] = field(default_factory=dict)
    carriers: dict[str, list[Pool]] = field(default_factory=dict)
    vpns: list[list[str]] = field(default_factory=list)
    hosting: list[Pool] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    listed: dict[str, list[str]] = field(
        default_factory=lambda: {"hosting": [], "anonymous": [], "company": []}
    )
    people: list[Person] = field(default_factory=list)
    _next4: int = int(IPv4Address("11.0.0.0"))
    _next6: int = int(IPv6Address("2a0e:100::"))

    def city(self, country: str) -> City:
        """Some city; the first of a country has half of its people."""
        cities = COUNTRIES[country]
        rest = cities[1:] or cities
        chosen = cities[0] if self.random.random() < 0.5 else self.random.choice(rest)
        return country, chosen[0]

    def place(self, links: Sequence[str], city: City, radius: int) -> None:
        """What the database says of these networks: 2 % are missing, 8 % are in another city, 0.3 % in a neighbouring country."""
        for link in links:
            luck, (country, name) = self.random.random(), city
            if luck < 0.02:
                continue
            if luck < 0.023:
                country = NEIGHBOURS.get(country, "US")
                name = COUNTRIES[country][0][0]
            elif luck < 0.10:
                name = self.random.choice(COUNTRIES[country])[0]
            where = next(one for one in COUNTRIES[country] if one[0] == name)
            self.rows.append((link, country, name, where[1], where[2], radius))

    def links(self, count: int) -> list[int]:
        """New /24 networks, side by side."""
        found = [self._next4 + 256 * at for at in range(count)]
        self._next4 += 256 * max(count, 256)
        return found

    def pool(self, count: int, city: City, radius: int, *, six: bool = False) -> Pool:
        """A provider's networks in a city."""
        links = self.links(count)
        self.place([f"{IPv4Address(link)}/24" for link in links], city, radius)
        if not six:
            return Pool(links)
        prefix = self._next6
        self._next6 += 1 << 88
        self.place([f"{IPv6Address(prefix)}/40"], city, radius)
        return Pool(links, prefix)


def world(random: Random) -> World:
    """The networks: three providers of homes in each city, three carriers in each country, VPN providers, and rented machines."""
    made = World(random)
    for country, cities in COUNTRIES.items():
        for name, _, _ in cities:
            made.homes[country, name] = [
                made.pool(8, (country, name), random.choice((5, 10, 20, 50)), six=True) for _ in range(3)
            ]
        made.carriers[country] = [_carrier(made, country) for _ in range(3)]
    for _ in range(3):
        made.vpns.append([_exit(made) for _ in range(20)])
    for country in ("DE", "US", "US", "FR", "RU", "VN", "GB", "PL"):
        pool = made.pool(4, (country, COUNTRIES[country][0][0]), 20)
        made.hosting.append(pool)
        if random.random() < 0.85:
            made.listed["hosting"] += [f"{IPv4Address(link)}/24" for link in pool.links]
    return made


def _carrier(made: World, country: str) -> Pool:
    """A mobile network: its customers leave it at a few dozen networks, which the database places in the capital, or anywhere."""
    links = made.links(24)
    for link in links:
        name = COUNTRIES[country][0][0]
        if made.random.random() < 0.3:
            name = made.random.choice(COUNTRIES[country])[0]
        made.place([f"{IPv4Address(link)}/24"], (country, name), made.random.choice((50, 100, 200, 500)))
    return Pool(links)


def _exit(made: World) -> str:
    """An exit of a VPN provider. Lists miss 8 % of them, and have 10 % as hosting."""
    country = made.random.choice(("DE", "FR", "GB", "ES", "US", "US", "PL", "JP"))
    address = made.pool(1, (country, COUNTRIES[country][0][0]), 20).address(made.random)
    luck = made.random.random()
    if luck > 0.08:
        made.listed["hosting" if luck < 0.18 else "anonymous"].append(address)
    return address
