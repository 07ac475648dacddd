"""Browsers and their user agents, which change with each version."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from trials.risk.table import DAY, START

_LAPTOPS: Final = (
    ("Chrome/{v}.0.0.0 Safari/537.36", "Windows NT 10.0; Win64; x64", 45),
    ("Chrome/{v}.0.0.0 Safari/537.36 Edg/{v}.0.0.0", "Windows NT 10.0; Win64; x64", 18),
    ("Gecko/20100101 Firefox/{v}.0", "Windows NT 10.0; Win64; x64", 8),
    ("Version/26.{w} Safari/605.1.15", "Macintosh; Intel Mac OS X 10_15_7", 14),
    ("Chrome/{v}.0.0.0 Safari/537.36", "Macintosh; Intel Mac OS X 10_15_7", 9),
    ("Gecko/20100101 Firefox/{v}.0", "X11; Linux x86_64", 6),
)
_PHONES: Final = (
    ("Version/26.{w} Mobile/15E148 Safari/604.1", "iPhone; CPU iPhone OS 18_7 like Mac OS X", 46),
    ("Chrome/{v}.0.0.0 Mobile Safari/537.36", "Linux; Android 10; K", 42),
    ("SamsungBrowser/{v}.0 Chrome/{v}.0.0.0 Mobile Safari/537.36", "Linux; Android 10; K", 8),
    ("CriOS/{v}.0.0.0 Mobile/15E148 Safari/604.1", "iPhone; CPU iPhone OS 18_7 like Mac OS X", 4),
)


@dataclass
class Browser:
    """One browser on one device. `cookies` names its store of cookies; it is a new one when they are lost."""

    kind: str
    system: str
    name: str
    forgets: bool = False
    cookies: int = 0

    def agent(self, at: int) -> str:
        """Its user agent then: browsers are updated every four weeks."""
        version = 140 + (at - START) // (28 * DAY)
        shown = self.kind.format(v=version, w=version - 139)
        return f"Mozilla/5.0 ({self.system}) AppleWebKit/537.36 (KHTML, like Gecko) {shown}"

    def store(self) -> str:
        """The store of cookies of this sign-in."""
        if self.forgets:
            self.cookies += 1
        return f"{self.name}.{self.cookies}"


def laptop(random: Random, name: str, *, forgets: bool = False) -> Browser:
    """A browser on a computer, as they are spread."""
    kind, system, _ = random.choices(_LAPTOPS, [one[2] for one in _LAPTOPS])[0]
    return Browser(kind, system, name, forgets)


def phone(random: Random, name: str, *, forgets: bool = False) -> Browser:
    """A browser on a telephone."""
    kind, system, _ = random.choices(_PHONES, [one[2] for one in _PHONES])[0]
    return Browser(kind, system, name, forgets)


def renewed(random: Random, old: Browser, *, of: str) -> Browser:
    """The next device of the same person: two of three keep to their system and browser. `of`: `laptop` or `phone`."""
    name = f"{old.name}'"
    if random.random() < 2 / 3:
        return Browser(old.kind, old.system, name, old.forgets)
    return (phone if of == "phone" else laptop)(random, name, forgets=old.forgets)
