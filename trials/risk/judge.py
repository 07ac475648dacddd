"""The rules of risk over a table of sign-ins, in order, with the state that a server would hold at each."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from doorward.core.model.audit import AuditEvent
from doorward.core.model.device import describe
from doorward.core.model.risk import RiskFacts
from doorward.core.ports.places import Places
from doorward.features.rate_limits.rules.network import network
from doorward.features.risk.rules.assess import assess
from doorward.features.risk.rules.history import FAILED, SIGNED_IN, history, with_history
from doorward.features.risk.rules.where import whereabouts
from doorward.features.risk.settings import RiskPolicy
from trials.risk.table import START, Line

ADDED: Final = "second_factor.added"
_KEPT: Final = 200
_MISSES: Final = 900
_HOUR: Final = 3600


@dataclass
class Tally:
    """What became of the sign-ins of one group, or of one attack. `tried` are all, `right` those with the right password, which the
    rules judge; of these `asked` and `refused`."""

    tried: int = 0
    right: int = 0
    asked: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter[str])

    def add(self, other: Tally) -> None:
        """Add those of another table."""
        self.tried += other.tried
        self.right += other.right
        self.asked += other.asked
        self.refused += other.refused
        self.reasons.update(other.reasons)


@dataclass
class Window:
    """Who did something on a network within some seconds."""

    seconds: int
    held: dict[str, deque[tuple[int, str]]] = field(
        default_factory=lambda: defaultdict[str, deque[tuple[int, str]]](deque)
    )

    def add(self, name: str, at: int, account: str) -> None:
        """Note it."""
        self.held[name].append((at, account))

    def within(self, name: str, at: int) -> Iterator[str]:
        """The accounts, one for each time."""
        found = self.held[name]
        while found and found[0][0] <= at - self.seconds:
            found.popleft()
        return (account for _, account in found)


@dataclass
class Server:
    """What a server would remember while the lines go by."""

    places: Places
    past: dict[str, deque[AuditEvent]] = field(
        default_factory=lambda: defaultdict[str, deque[AuditEvent]](lambda: deque(maxlen=_KEPT))
    )
    known: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    created: dict[str, int] = field(default_factory=dict[str, int])
    misses: Window = field(default_factory=lambda: Window(_MISSES))
    news: Window = field(default_factory=lambda: Window(_HOUR))

    def __post_init__(self) -> None:
        self.locate = lru_cache(maxsize=None)(lambda address: whereabouts(address, self.places))

    def facts(self, line: Line) -> RiskFacts:
        """The facts of a sign-in whose password was right."""
        where = self.locate(line.address)
        facts = RiskFacts(
            at=line.at,
            where=where,
            browser=describe(line.agent),
            device_known=(line.account, line.device) in self.known,
            account_created_at=self.created[line.account],
            misses_from_network=sum(1 for _ in self.misses.within(network(line.address), line.at)),
            accounts_on_network=len(set(self.news.within(where.network, line.at)) - {line.account}),
        )
        return with_history(facts, history(list(self.past[line.account]), self.locate, line.at))

    def remember(self, line: Line, *, passed: bool) -> None:
        """Note what came of it: only a success makes a device known."""
        kind = ADDED if line.what == "changed" else SIGNED_IN if passed else FAILED
        new = (line.account, line.device) not in self.known
        self.past[line.account].appendleft(
            AuditEvent(
                id="aud",
                at=line.at,
                kind=kind,
                account_id=line.account,
                address=line.address or None,
                user_agent=line.agent or None,
                detail={"new_device": "yes"} if kind == SIGNED_IN and new else {},
            )
        )
        if kind == ADDED:
            return
        if passed:
            self.known.add((line.account, line.device))
            if new and (where := self.locate(line.address)).network:
                self.news.add(where.network, line.at, line.account)
        elif new and not line.right:
            self.misses.add(network(line.address), line.at, line.account)


def judged(
    lines: Iterable[Line], places: Places, policy: RiskPolicy
) -> tuple[dict[str, Tally], dict[str, Tally]]:
    """The tallies of the honest groups and of the attacks. An honest person answers each question; an attacker none."""
    server = Server(places)
    honest, attacks = defaultdict[str, Tally](Tally), defaultdict[str, Tally](Tally)
    for line in lines:
        passed = line.right
        if line.what == "created":
            server.created[line.account] = line.at
        if line.what == "tried":
            tally = (
                attacks[line.attack] if line.attack else honest[line.group] if line.at >= START else Tally()
            )
            tally.tried += 1
            if line.right:
                found = assess(server.facts(line), policy)
                asked = found.verdict in {"ask_factor", "ask_phishing_resistant"}
                tally.right += 1
                tally.asked += asked
                tally.refused += found.verdict in {"refuse", "end"}
                if found.reasons:
                    tally.reasons["+".join(sorted(one.code for one in found.reasons))] += 1
                passed = found.verdict == "allow" or (asked and not line.attack)
        server.remember(line, passed=passed)
    return dict(honest), dict(attacks)
