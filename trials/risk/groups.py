"""The groups of honest people, each with what makes it look suspicious.

Imports no rule of the server. A function makes one household, office or person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from trials.risk.browsers import Browser, laptop
from trials.risk.people import END, LOST, Context, Household, Origin, Person, household, person
from trials.risk.table import BEFORE, DAY, START, Line
from trials.risk.world import COUNTRIES, City, Pool, World


def ordinary(world: World, random: Random, name: str) -> list[Line]:
    """Laptop and telephone, at home and on the way; browser updates, new devices, lost cookies."""
    one = person(world, random, name, "ordinary people")
    return one.lives(lambda _: one.usual())


def office(world: World, random: Random, name: str) -> list[Line]:
    """Twenty to sixty people behind one address, who come in between 8 and 10. Half of the offices are listed as a company. On one
    morning most get new laptops; a group of newcomers begins on another; half of the offices once change their provider."""
    city = world.city(random.choice(("DE", "FR", "GB", "ES")))
    lines = [Household(random.choice(world.homes[city]), False, 10_000, random) for _ in range(2)]
    addresses = [one.address(0) for one in lines]
    moved = START + random.randrange(20, 80) * DAY if random.random() < 0.5 else END
    if random.random() < 0.5:
        world.listed["company"] += addresses
    rollout = START + random.randrange(25, 60) * DAY
    onboarding = START + random.choice((14, 21, 28, 35)) * DAY + 3600
    found: list[Line] = []
    newcomers = random.randrange(8, 16)
    for at in range(random.randrange(20, 61)):
        new = at < newcomers
        created = (
            onboarding + random.randrange(1800)
            if new
            else START - (BEFORE - random.randrange(5)) * DAY + 1800
        )
        one = Person(
            world,
            random,
            f"{name}.{at}",
            "shared office",
            city,
            household(world, random, city),
            created=created,
            forgetful=0.01,
        )
        found += _works(one, addresses, moved, rollout)
    return found


def _works(one: Person, addresses: Sequence[str], moved: int, rollout: int) -> list[Line]:
    random = one.random
    gets_one = random.random() < 0.7
    waits = gets_one

    def desk(at: int) -> Origin:
        nonlocal waits
        if waits and at >= rollout:
            waits = False
            kind = one.laptop if random.random() < 0.5 else laptop(random, "")
            one.laptop = Browser(kind.kind, kind.system, f"{one.laptop.name}+")
        return addresses[at >= moved], one.laptop

    def contexts(at: int) -> Sequence[Context]:
        del at
        return (
            (72, desk),
            (8, lambda _: (addresses[0], one.phone)),
            (10, one.at_home),
            (4, one.on_wifi),
            (6, one.on_the_way),
        )

    days = [
        at for at in range(START - BEFORE * DAY, END, DAY) if at > one.created and (at - START) // DAY % 7 < 5
    ]
    share = random.uniform(0.25, 0.7)
    moments = [at + random.randrange(2 * 3600) for at in days if random.random() < share]
    if gets_one:
        moments.append(rollout + random.randrange(3600))
    return one.lives(contexts, sorted(moments), begins=desk)


def carrier(world: World, random: Random, name: str) -> list[Line]:
    """A telephone alone, over a mobile network: thousands share each address, and it changes with every sign-in."""
    one = person(world, random, name, "mobile carrier", forgetful=0.05)
    contexts: Sequence[Context] = ((90, one.on_the_way), (10, one.on_wifi))
    return one.lives(lambda _: contexts)


def vpn(world: World, random: Random, name: str) -> list[Line]:
    """Always by a VPN, with exits in several countries, some of which no list has; one of ten keeps no cookies. One of seven begins with
    it after a month."""
    one = person(world, random, name, "VPN users", forgetful=0.1)
    exits = random.choice(world.vpns)
    favourite = random.choice(exits)
    since = START + 30 * DAY if random.random() < 0.15 else 0

    def exit_(at: int) -> Origin:
        del at
        address = favourite if random.random() < 0.6 else random.choice(exits)
        return address, random.choice((one.laptop, one.laptop, one.phone))

    def contexts(at: int) -> Sequence[Context]:
        return ((90, exit_), (10, one.on_the_way)) if at >= since else one.usual()

    return one.lives(contexts, begins=exit_ if since == 0 else None)


def family(world: World, random: Random, name: str) -> list[Line]:
    """Three to five accounts on one browser at home, and telephones."""
    first = person(world, random, f"{name}.0", "family computer")
    shared = first.laptop
    first.shared_lost = [random.randrange(START, END)] if random.random() < LOST else []
    found: list[Line] = []
    for at in range(random.randrange(3, 6)):
        one = first
        if at:
            one = Person(world, random, f"{name}.{at}", first.group, first.city, first.home)
            one.laptop = Browser(shared.kind, shared.system, shared.name, shared.forgets)
            one.shared_lost = first.shared_lost
        contexts: Sequence[Context] = (
            (72, one.at_home),
            (15, one.on_wifi),
            (10, one.on_the_way),
            (3, one.weekend),
        )
        found += one.lives(lambda _, held=contexts: held)
    return found


def traveller(world: World, random: Random, name: str) -> list[Line]:
    """One or two journeys abroad of three to twelve days: hotels, airports, roaming, a card of the country; new devices there, too. On
    one of a hundred journeys the computer of the hotel is used."""
    one = person(world, random, name, "travellers")
    trips: list[Trip] = []
    at = max(one.created, START) + random.randrange(3, 25) * DAY
    for _ in range(random.randrange(1, 3)):
        end = at + random.randrange(3, 13) * DAY
        country = random.choice([code for code in COUNTRIES if code != one.city[0]])
        if end < END:
            city = world.city(country)
            lent = laptop(random, f"{name}.lent{at}") if random.random() < 0.01 else None
            hotel = random.choice(world.homes[city]).address(random)
            trips.append(Trip(at, end, city, hotel, random.choice(world.carriers[country]), lent))
        at = end + random.randrange(6, 30) * DAY

    def on(at: int) -> Trip | None:
        return next((trip for trip in trips if trip.start <= at < trip.end), None)

    one.abroad = lambda at: trip.hotel if (trip := on(at)) else None
    return one.lives(lambda at: trip.contexts(one) if (trip := on(at)) else one.usual())


@dataclass
class Trip:
    """A journey. `lent` is the computer of the hotel, where it is used."""

    start: int
    end: int
    city: City
    hotel: str
    carrier: Pool
    lent: Browser | None

    def contexts(self, one: Person) -> Sequence[Context]:
        """Where the traveller is."""
        random = one.random
        airport = random.choice(one.world.homes[self.city])
        held: list[Context] = [
            (50, lambda _: (self.hotel, random.choice((one.laptop, one.laptop, one.phone)))),
            (25, one.on_the_way),
            (15, lambda _: (self.carrier.address(random), one.phone)),
            (10, lambda _: (airport.address(random), one.phone)),
        ]
        if (lent := self.lent) is not None:
            held.append((30, lambda _: (self.hotel, lent)))
        return held


GROUPS: Final[Sequence[tuple[str, Callable[[World, Random, str], list[Line]]]]] = (
    ("ordinary people", ordinary),
    ("shared office", office),
    ("mobile carrier", carrier),
    ("VPN users", vpn),
    ("family computer", family),
    ("travellers", traveller),
)
