"""Honest people: their homes, devices and habits, and the sign-ins that come of them.

Imports no rule of the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from trials.risk.browsers import Browser, laptop, phone, renewed
from trials.risk.table import BEFORE, DAY, DAYS, START, Line
from trials.risk.world import City, Pool, World

END: Final = START + DAYS * DAY
TYPO: Final = 0.05
"""Share of sign-ins that begin with a wrong password."""
FORGETFUL: Final = 0.02
"""Share of people whose browsers keep no cookies: private windows, and the browsers inside other apps."""
LOST: Final = 0.15
"""Chance that the cookies of a browser are lost once in these months."""
NEWCOMERS: Final = 0.2
"""Share of accounts that are made in the months that count."""
NEW_PHONE: Final = 0.1
NEW_LAPTOP: Final = 0.06
"""Chances of a new device: a telephone is used for two and a half years, a computer for four."""
CHANGES: Final = 0.25
"""Chance that somebody adds a factor or changes the address once."""

Origin = tuple[str, Browser]
Context = tuple[float, Callable[[int], Origin]]


@dataclass
class Household:
    """A line at home. The provider gives it another address every `every` days."""

    pool: Pool
    six: bool
    every: int
    random: Random
    held: dict[int, str] = field(default_factory=dict)

    def address(self, at: int) -> str:
        """Its address then."""
        period = at // (self.every * DAY)
        if period not in self.held:
            self.held[period] = (self.pool.address6 if self.six else self.pool.address)(self.random)
        return self.held[period]


def household(world: World, random: Random, city: City) -> Household:
    """A line in a city: three of ten by IPv6, and most with an address that lasts weeks."""
    return Household(
        random.choice(world.homes[city]), random.random() < 0.3, random.choice((1, 7, 30, 30, 180)), random
    )


@dataclass
class Person:
    """One account and its owner."""

    world: World
    random: Random
    account: str
    group: str
    city: City
    home: Household
    created: int = 0
    forgetful: float = FORGETFUL
    shared_lost: list[int] | None = None
    """When the cookies of a computer that several people share are lost; None: it is theirs alone."""
    abroad: Callable[[int], str | None] = lambda _: None
    """The address of the hotel on a journey."""

    def __post_init__(self) -> None:
        forgets = self.random.random() < self.forgetful
        self.laptop = laptop(self.random, f"{self.account}.laptop", forgets=forgets)
        self.phone = phone(self.random, f"{self.account}.phone", forgets=forgets)
        self.carrier = self.random.choice(self.world.carriers[self.city[0]])
        self.world.people.append(self)
        late = self.random.random() < NEWCOMERS
        day = self.random.randrange(70) if late else self.random.randrange(20) - BEFORE
        self.created = self.created or START + day * DAY + 36_000

    def at_home(self, at: int) -> Origin:
        """At the computer at home."""
        return self.home.address(at), self.laptop

    def on_wifi(self, at: int) -> Origin:
        """With the telephone at home."""
        return self.home.address(at), self.phone

    def on_the_way(self, at: int) -> Origin:
        """With the telephone over the carrier, whose address is that of thousands and changes within hours."""
        del at
        return self.carrier.address(self.random), self.phone

    def nearby(self, at: int) -> Origin:
        """At a café or with friends in the same city."""
        del at
        pool = self.random.choice(self.world.homes[self.city])
        return pool.address(self.random), self.random.choice((self.laptop, self.phone))

    def weekend(self, at: int) -> Origin:
        """In another city of the country."""
        del at
        pool = self.random.choice(self.world.homes[self.world.city(self.city[0])])
        return pool.address(self.random), self.random.choice((self.laptop, self.phone, self.phone))

    def usual(self) -> Sequence[Context]:
        """Where people are."""
        return (
            (45, self.at_home),
            (20, self.on_wifi),
            (22, self.on_the_way),
            (7, self.nearby),
            (6, self.weekend),
        )

    def moments(self) -> list[int]:
        """Times of day between 7 and 23: 12 to 50 of them in 91 days."""
        lived = END - self.created
        count = max(1, round(self.random.uniform(12, 50) * lived / (DAYS * DAY)))
        days = [self.created + self.random.randrange(lived) for _ in range(count)]
        return sorted(at - at % DAY + self.random.randrange(7 * 3600, 23 * 3600) for at in days)

    def signs_in(self, at: int, origin: Origin) -> Iterator[Line]:
        """A sign-in, with a wrong password before it from time to time."""
        address, browser = origin
        store, agent = browser.store(), browser.agent(at)
        for wrong in range(self.random.choice((1, 1, 2)) if self.random.random() < TYPO else 0):
            yield Line(
                at - 40 + 15 * wrong, "tried", self.account, self.group, address, agent, store, right=False
            )
        yield Line(at, "tried", self.account, self.group, address, agent, store)

    def lives(
        self,
        contexts: Callable[[int], Sequence[Context]],
        moments: Sequence[int] | None = None,
        begins: Callable[[int], Origin] | None = None,
    ) -> list[Line]:
        """The account is made (`begins`: where; at home), signs in at these moments, loses cookies, and gets new devices."""
        first = self.created
        address, browser = (begins or self.random.choice((self.at_home, self.on_wifi)))(first)
        lines = [
            Line(first, "created", self.account, self.group, address, browser.agent(first), browser.store())
        ]
        events = [(at, "sign in") for at in (self.moments() if moments is None else moments) if at > first]
        events += [(at, "laptop lost") for at in self.shared_lost or ()]
        for chance, what in (
            (LOST if self.shared_lost is None else 0, "laptop lost"),
            (LOST, "phone lost"),
            (NEW_PHONE, "new phone"),
            (NEW_LAPTOP, "new laptop"),
            (CHANGES, "changed"),
        ):
            if self.random.random() < chance:
                events.append((self.random.randrange(max(START, first), END), what))
        for at, what in sorted(events):
            lines += self.happens(at, what, contexts)
        return lines

    def happens(self, at: int, what: str, contexts: Callable[[int], Sequence[Context]]) -> Iterator[Line]:
        """What comes of one event."""
        match what:
            case "laptop lost":
                self.laptop.cookies += 1
            case "phone lost":
                self.phone.cookies += 1
            case "changed":
                yield Line(at, "changed", self.account, self.group)
            case "new phone" | "new laptop":
                which = what.removeprefix("new ")
                new = renewed(self.random, getattr(self, which), of=which)
                setattr(self, which, new)
                # it is set up where the person sleeps, mostly
                sleeps = self.abroad(at) or self.home.address(at)
                elsewhere = self.random.random() < 0.25
                address = self.chosen(at, contexts)[0] if elsewhere else sleeps
                yield from self.signs_in(at, (address, new))
            case _:
                yield from self.signs_in(at, self.chosen(at, contexts))

    def chosen(self, at: int, contexts: Callable[[int], Sequence[Context]]) -> Origin:
        """Where the person is then."""
        held = contexts(at)
        return self.random.choices([one[1] for one in held], [one[0] for one in held])[0](at)


def person(world: World, random: Random, account: str, group: str, **more: float | int) -> Person:
    """Somebody in one of the markets."""
    city = world.city(random.choice(("DE", "FR", "GB", "ES")))
    return Person(world, random, account, group, city, household(world, random, city), **more)  # pyright: ignore[reportArgumentType]
