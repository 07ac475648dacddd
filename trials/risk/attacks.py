"""Planted attacks: guesses at many accounts, and strangers who have the right password.

Imports no rule of the server. Attackers have no cookies of anybody's browser.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from trials.risk.browsers import laptop
from trials.risk.people import END, Person
from trials.risk.table import DAY, START, Line
from trials.risk.world import COUNTRIES, World

SPRAY: Final = "password spray"
STUFFING: Final = "credential stuffing"
TRAVEL: Final = "impossible travel"
ELSEWHERE: Final = "takeover from elsewhere"
NEAR: Final = "takeover from near"
KNOWN_AGENT: Final = "takeover with the owner's user agent"

FAR: Final = ("US", "BR", "IN", "NG", "VN", "JP")
RIGHT: Final = 0.1
"""Share of guesses that are right. Far fewer are in reality; what is measured is what becomes of those."""
_ROUND: Final = 120
"""Guesses of one campaign."""


def guesses(world: World, random: Random, attack: str, count: int) -> Iterator[Line]:
    """Campaigns of `count` guesses in all. Of a spray, four of ten come from a few rented machines, three from the exits of a VPN, and
    three from proxies in people's homes; of stuffing, two, two and six. A proxy is used for one to four guesses."""
    weights = (4, 3, 3) if attack == SPRAY else (2, 2, 6)
    while count > 0:
        at = START + random.randrange(20, 86) * DAY + random.randrange(DAY)
        source = random.choices(("rented", "vpn", "homes"), weights)[0]
        pool = random.choice(world.hosting)
        machines = [pool.address(random) for _ in range(random.randrange(1, 7))]
        exits = random.choice(world.vpns)
        browser = laptop(random, "")
        left, address = 0, ""
        for number in range(min(_ROUND, count)):
            victim = _victim(world, random, at)
            if source == "rented":
                address = random.choice(machines)
            elif source == "vpn":
                address = random.choice(exits)
            elif left == 0:
                left, address = random.randrange(1, 5), _proxy(world, random, victim)
            left -= source == "homes"
            if random.random() < 0.5:
                browser = laptop(random, "")
            at += random.randrange(2, 20)
            yield _try(victim, at, address, browser.agent(at), attack, number, right=random.random() < RIGHT)
        count -= _ROUND


def travel(world: World, random: Random, count: int, lines: Sequence[Line]) -> Iterator[Line]:
    """Somebody on another continent, twenty minutes to three hours after the owner."""
    seen = [line for line in lines if line.what == "tried" and line.right and line.at > START + 20 * DAY]
    people = {one.account: one for one in world.people}
    for number in range(count):
        last = random.choice(seen)
        at = last.at + random.randrange(1200, 3 * 3600)
        address = _homes(world, random, random.choice(FAR))
        if random.random() < 0.3:
            address = random.choice(world.hosting).address(random)
        yield _try(people[last.account], at, address, laptop(random, "").agent(at), TRAVEL, number)


def takeovers(world: World, random: Random, attack: str, count: int) -> Iterator[Line]:
    """A stranger with the right password. From elsewhere: another country, by a proxy in a home, a rented machine or a VPN. From near: the
    same country, for three of ten the same city. With the owner's user agent: half from elsewhere, half from near."""
    for number in range(count):
        at = START + random.randrange(20, 90) * DAY + random.randrange(DAY)
        victim = _victim(world, random, at)
        agent = (victim.laptop if attack == KNOWN_AGENT else laptop(random, "")).agent(at)
        near = attack == NEAR or (attack == KNOWN_AGENT and random.random() < 0.5)
        address = _near(world, random, victim) if near else _far(world, random, victim)
        yield _try(victim, at, address, agent, attack, number)


def _far(world: World, random: Random, victim: Person) -> str:
    luck = random.random()
    if luck < 0.15:
        return random.choice(world.hosting).address(random)
    if luck < 0.3:
        return random.choice(random.choice(world.vpns))
    return _homes(world, random, random.choice([code for code in COUNTRIES if code != victim.city[0]]))


def _near(world: World, random: Random, victim: Person) -> str:
    if random.random() < 0.3:
        return random.choice(world.homes[victim.city]).address(random)
    others = [
        pools for city, pools in world.homes.items() if city[0] == victim.city[0] and city != victim.city
    ]
    return random.choice(random.choice(others)).address(random)


def _proxy(world: World, random: Random, victim: Person) -> str:
    """A proxy in somebody's home: three of ten in the country of the victim."""
    return _homes(world, random, victim.city[0] if random.random() < 0.3 else random.choice([*COUNTRIES]))


def _homes(world: World, random: Random, country: str) -> str:
    return random.choice(world.homes[world.city(country)]).address(random)


def _victim(world: World, random: Random, at: int) -> Person:
    """Somebody whose account is at least a week old."""
    while True:
        one = random.choice(world.people)
        if one.created < at - 7 * DAY:
            return one


def _try(
    victim: Person, at: int, address: str, agent: str, attack: str, number: int, *, right: bool = True
) -> Line:
    device = f"stranger.{attack}.{at}.{number}"
    return Line(
        min(at, END),
        "tried",
        victim.account,
        victim.group,
        address,
        agent,
        device,
        right=right,
        attack=attack,
    )
