"""Verdict on a sign-in, from its facts and the operator's policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doorward.core.model.risk import VERDICTS, Assessment, RiskFacts, RiskReason, RiskSignal, Verdict, worst
from doorward.features.risk.settings import RiskPolicy
from doorward.features.risk.signals.index import SIGNALS

MOST_ON_KNOWN: Final[Verdict] = "ask_phishing_resistant"
"""The most severe verdict on a device that the account knows: no sign of danger keeps owners out there (R95)."""


def assess(facts: RiskFacts, policy: RiskPolicy, signals: Sequence[RiskSignal] = SIGNALS) -> Assessment:
    """The most severe of the verdicts on all signals that fire, with all reasons, the most severe first. Pure: the same facts and policy
    give the same verdict, also long afterwards."""
    found: list[tuple[Verdict, RiskReason]] = [
        (_kept(policy.verdict(one.code), facts), reason)
        for one in signals
        if (reason := one.look(facts, policy.threshold(one.code))) is not None
    ]
    found.sort(key=lambda each: -VERDICTS.index(each[0]))
    then: tuple[Verdict, ...] = tuple(verdict for verdict, _ in found)
    return Assessment(worst(then), tuple(reason for _, reason in found), then)


def _kept(verdict: Verdict, facts: RiskFacts) -> Verdict:
    if facts.device_known and VERDICTS.index(verdict) > VERDICTS.index(MOST_ON_KNOWN):
        return MOST_ON_KNOWN
    return verdict
