"""Owners who sometimes lose an answer, without a thief: how often the rule signs them out, and how often it is listed.

An app is opened six times a day, for 20 to 120 minutes. It refreshes when it is opened and every five minutes while it
is open. Of the 60 apps, 20 retry after 5 seconds, 20 with their next timer after 5 minutes, and 20 are on devices that
go to sleep: they retry when they are next opened. The answer to a retry can be lost too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from msgspec import Struct

from bench.rotation.family import Family, Rule

DAYS: Final = 30
DAY: Final = 86_400
PACE: Final = 300
AGAIN: Final = (5, PACE, None)
"""Seconds until an app without an answer retries; None: only when it is opened again."""
EACH: Final = 20
OPENINGS: Final = 6
LOSSES: Final = (0.0005, 0.002, 0.01)


class Kept(Struct, frozen=True):
    """The results of all apps together."""

    refreshes: int
    lost: int
    signed_out: int
    late: int


def openings(rng: Random) -> Iterator[tuple[int, int]]:
    """When an app is opened and closed, in seconds: once in each sixth of a day's 18 waking hours."""
    part = 18 * 3600 // OPENINGS
    for day in range(DAYS):
        for number in range(OPENINGS):
            length = 1200 + int(rng.random() * 6000)
            begin = day * DAY + 6 * 3600 + number * part + int(rng.random() * (part - length))
            yield begin, begin + length


def used(rule: Rule, loss: float, again: int | None, seed: int) -> Kept:
    """One app for 30 days. An owner who is signed out signs in again at once, with a new family."""
    rng = Random(seed)
    family, token = Family(rule, 0), 1
    refreshes = lost = signed_out = late = 0
    for begin, end in list(openings(rng)):
        now = begin
        while now < end:
            answer = family.refresh(token, now)
            refreshes += 1
            if answer is None:
                signed_out += 1
                late += len(family.late)
                family, token = Family(rule, now), 1
                now += PACE
            elif rng.random() < loss:
                lost += 1
                if again is None:
                    break
                now += again
            else:
                token = answer
                now += PACE
    return Kept(refreshes, lost, signed_out, late + len(family.late))


def month(rule: Rule, loss: float, kinds: Sequence[int | None] = AGAIN) -> Kept:
    """The 20 apps of each of these kinds; all 60 by default."""
    each = [
        used(rule, loss, again, app)
        for app in range(EACH * len(AGAIN))
        if (again := AGAIN[app % len(AGAIN)]) in kinds
    ]
    return Kept(
        sum(one.refreshes for one in each),
        sum(one.lost for one in each),
        sum(one.signed_out for one in each),
        sum(one.late for one in each),
    )
