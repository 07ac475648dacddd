"""Mark of a verdict in a sign-in in progress.

It stands among the proofs, since programs that do not know a kind of proof read it and let it count for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doorward.core.model.levels import PHR, at_least
from doorward.core.model.risk import VERDICTS, Verdict
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.policy import StepDemand

KIND: Final = "risk:"
"""Begins the kind of the mark, before the verdict. It is stored and never changes."""

ASKS: Final[frozenset[Verdict]] = frozenset({"ask_factor", "ask_phishing_resistant"})
KEEPS_OUT: Final[frozenset[Verdict]] = frozenset({"refuse", "end"})


def mark(verdict: Verdict, at: int) -> Proof:
    """The mark of a verdict at `at` (seconds)."""
    return Proof(KIND + verdict, at, ())


def marked(proofs: Sequence[Proof]) -> Verdict | None:
    """The verdict on a sign-in with these proofs; None if there is none that this program knows."""
    found = {proof.kind.removeprefix(KIND) for proof in proofs if proof.kind.startswith(KIND)}
    return next((verdict for verdict in VERDICTS if verdict in found), None)


def unmarked(proofs: Sequence[Proof]) -> tuple[Proof, ...]:
    """The proofs that are none of these marks."""
    return tuple(proof for proof in proofs if not proof.kind.startswith(KIND))


def marks(proofs: Sequence[Proof]) -> tuple[Proof, ...]:
    """Only the marks."""
    return tuple(proof for proof in proofs if proof.kind.startswith(KIND))


def raised(demand: StepDemand, verdict: Verdict | None) -> StepDemand:
    """The demand with what the verdict asks besides: two steps, none of them replaced by a remembered device. Nothing has to be set up
    for it: that would let a thief of the password add a factor of their own."""
    if verdict not in ASKS:
        return demand
    acr = PHR if verdict == "ask_phishing_resistant" and not at_least(demand.acr, PHR) else demand.acr
    return StepDemand(
        steps=2,
        acr=acr,
        kinds=demand.kinds,
        because=demand.because or "risk",
        grace_until=demand.grace_until,
    )
