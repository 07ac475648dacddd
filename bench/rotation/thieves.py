"""Thieves with a copy of an owner's refresh token: how long they have access, and when they are detected.

The owner's app refreshes every five minutes from 8:00 to 17:00, Monday to Friday, beginning on the first Monday.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from bench.rotation.family import POLICY, Family, Rule

HOUR: Final = 3600
DAY: Final = 24 * HOUR
PACE: Final = 300
OPENS, CLOSES = 8 * HOUR, 17 * HOUR
FRIDAY: Final = 4 * DAY + CLOSES
MONDAY: Final = 7 * DAY + OPENS
STEP: Final = 10
"""Seconds after the owner at which the thief of case (c) refreshes."""


class Found(Struct, frozen=True):
    """The result of a theft. Times are seconds since the first Monday, 0:00."""

    access: int
    """Seconds in which the thief had a valid access token."""
    noticed_at: int | None
    """When the family ended as a replay, and the owner was notified."""
    late: int
    """Late repeats that the owner sees under Activity."""


class _Copy:
    """The thief's refresh tokens, and the access tokens that came with them."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.asked: list[int] = []

    def ask(self, token: int, now: int) -> int | None:
        answer = self.family.refresh(token, now)
        if answer is not None:
            self.asked.append(now)
        return answer

    def access(self) -> int:
        """The union of the lives of all access tokens; the end of the family ends them at once."""
        end = self.family.ends_at if self.family.replayed_at is None else self.family.replayed_at
        seconds, until = 0, 0
        for at in sorted(self.asked):
            here = min(at + POLICY.access_ttl, end)
            seconds += max(0, here - max(at, until))
            until = max(until, here)
        return seconds


Thief = Callable[[Family, "Owner"], _Copy]


class Owner:
    """The owner's app: `token` is its current token and `parent` the last one it spent."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.token = 1
        self.parent = 1

    def refresh(self, now: int) -> bool:
        answer = self.family.refresh(self.token, now)
        if answer is None:
            return False
        self.parent, self.token = self.token, answer
        return True


def in_the_office(start: int, end: int) -> Iterator[int]:
    """The times at which the owner's app refreshes."""
    for day in range(start // DAY, end // DAY + 1):
        if day % 7 < 5:
            yield from (at for at in range(day * DAY + OPENS, day * DAY + CLOSES, PACE) if start <= at < end)


def spends_the_newest(family: Family, owner: Owner) -> _Copy:
    """(a) Steals the newest token on Friday at 17:00, spends it, and then refreshes every five minutes."""
    copy = _Copy(family)
    for at in in_the_office(0, FRIDAY):
        owner.refresh(at)
    held: int | None = owner.token
    now = FRIDAY
    while held is not None and now < MONDAY:
        held = copy.ask(held, now)
        now += PACE
    for at in in_the_office(MONDAY, family.ends_at):
        if not owner.refresh(at):
            break
    return copy


def repeats_the_parent(family: Family, owner: Owner) -> _Copy:
    """(b) Takes a spent token from a log on Friday at 17:00 and repeats it every five minutes until Monday, 8:00."""
    copy = _Copy(family)
    for at in in_the_office(0, FRIDAY):
        owner.refresh(at)
    for now in range(FRIDAY, MONDAY, PACE):
        if copy.ask(owner.parent, now) is None:
            break
    for at in in_the_office(MONDAY, family.ends_at):
        owner.refresh(at)
    return copy


def keeps_step(at_night: int | None) -> Thief:
    """(c) From the first Monday, 17:00: in office hours sends the token that the owner has just spent, ten
    seconds after the owner; at other times repeats the last one every `at_night` seconds from the close of
    the office, or sends nothing for None."""

    def steals(family: Family, owner: Owner) -> _Copy:
        copy = _Copy(family)
        office = set(in_the_office(0, family.ends_at))
        for at in in_the_office(0, CLOSES):
            owner.refresh(at)
        closed = 0
        for at in range(CLOSES, family.ends_at, PACE):
            if at in office:
                closed = 0
                if not owner.refresh(at) or copy.ask(owner.parent, at + STEP) is None:
                    break
            else:
                if at_night is not None and closed % at_night == 0 and copy.ask(owner.parent, at) is None:
                    break
                closed += PACE
        return copy

    return steals


THIEVES: Final[dict[str, Thief]] = {
    "(a) spends the newest on Friday, 17:00, and goes on with it": spends_the_newest,
    "(b) repeats its parent every 5 minutes until Monday, 8:00": repeats_the_parent,
    "(c) keeps step in office hours, repeats every 5 minutes at night": keeps_step(PACE),
    "(d) keeps step, and repeats once in 24 hours at night": keeps_step(DAY),
    "(e) keeps step, and is silent at night": keeps_step(None),
}


def robbed(rule: Rule, thief: Thief) -> Found:
    """Simulate one theft under one rule."""
    family = Family(rule, OPENS)
    copy = thief(family, Owner(family))
    return Found(copy.access(), family.replayed_at, len(family.late))
