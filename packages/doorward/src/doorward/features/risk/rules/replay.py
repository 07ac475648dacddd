"""Replay of past sign-ins: their facts from the audit log alone, so that a policy can be tried on them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from doorward.core.model.audit import AuditEvent
from doorward.core.model.device import describe
from doorward.core.model.risk import Assessment, RiskFacts
from doorward.features.risk.rules.assess import assess
from doorward.features.risk.rules.history import (
    ASSESSED,
    FAILED,
    MOMENT,
    SHADOWED,
    SIGNED_IN,
    Locate,
    history,
    new_device,
    with_history,
)
from doorward.features.risk.settings import HOUR, RiskPolicy

REMEMBERED: Final = 200
"""Lines that are kept of one account."""


class Attempt(Struct, frozen=True):
    """A past sign-in: its audit line, and its facts. `ended`: it ended with a session."""

    line: AuditEvent
    facts: RiskFacts
    ended: bool


class Tried(Struct, frozen=True):
    """What two policies say of one past sign-in."""

    attempt: Attempt
    now: Assessment
    changed: Assessment

    @property
    def differs(self) -> bool:
        """Whether the changed policy says something else."""
        return self.now.verdict != self.changed.verdict


def replay(lines: Iterable[AuditEvent], locate: Locate, *, since: int, window: int) -> Iterator[Attempt]:
    """The sign-ins since `since` (seconds) whose first factor was right, in the order in which their ends are known. `lines` are those of
    `KINDS` and the verdicts, oldest first, also earlier ones, from which the past of each account comes. `window`: the seconds over which
    wrong guesses are counted.

    Whether the account knew a device is read from the line (`detail.new_device`). The log does not say of a wrong guess whether it came
    from a known device, so all are counted.
    """
    accounts: defaultdict[str, deque[AuditEvent]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
    missed: defaultdict[str, deque[int]] = defaultdict(deque)
    arrived: defaultdict[str, deque[tuple[int, str]]] = defaultdict(deque)
    open_: dict[str, Attempt] = {}
    for line in lines:
        if line.kind == FAILED and line.address:
            missed[line.address].append(line.at)
        who = line.account_id
        if who is None:
            continue
        if (late := open_.get(who)) is not None and line.at > late.line.at + MOMENT:
            yield open_.pop(who)
        known = accounts[who]
        if line.kind in {SIGNED_IN, ASSESSED, SHADOWED}:
            where = locate(line.address)
            new = new_device(line)
            came = arrived[where.network] if where.network else deque[tuple[int, str]]()
            facts = RiskFacts(
                at=line.at,
                where=where,
                browser=describe(line.user_agent or ""),
                device_known=not new,
                password="pwd" in str(line.detail.get("method", "pwd")),
                misses_from_network=_recent(missed[line.address or ""], line.at - window),
                accounts_on_network=len({one for at, one in came if at > line.at - HOUR and one != who}),
            )
            attempt = Attempt(
                line, with_history(facts, history(tuple(known), locate, line.at)), line.kind == SIGNED_IN
            )
            if line.kind != SIGNED_IN:
                if who in open_ and line.at >= since:
                    yield open_.pop(who)
                open_[who] = attempt
                continue
            asked = open_.pop(who, None)
            if line.at >= since:
                # judged when the first factor was right, which may be earlier
                yield attempt if asked is None else Attempt(line, asked.facts, ended=True)
            if new:
                came.append((line.at, who))
        known.appendleft(line)
    yield from (one for one in open_.values() if one.line.at >= since)


def tried(attempt: Attempt, policy: RiskPolicy, changed: RiskPolicy) -> Tried:
    """What both policies say of a sign-in."""
    return Tried(attempt, assess(attempt.facts, policy), assess(attempt.facts, changed))


def _recent(times: deque[int], since: int) -> int:
    while times and times[0] <= since:
        times.popleft()
    return len(times)
