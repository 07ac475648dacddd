"""Acceptable next factors of a sign-in; pages and JSON endpoint use the same rule (ASVS 6.3.4, R85)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from doorward.core.model.levels import AAL2, AAL3, PHR, at_least
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.assurance import (
    FactorTraits,
    categories,
    counting,
    level,
    levels,
    steps,
    steps_of,
    strong,
)
from doorward.features.authn.flow.rules.policy import StepDemand


def next_factors(
    factors: Sequence[FactorTraits],
    *,
    proofs: Sequence[Proof],
    enrolled: frozenset[str],
    demand: StepDemand,
    fresh_after: int | None,
) -> tuple[FactorTraits, ...]:
    """The factors of which any one may be shown next, the preferred one first and backups last; empty when all that can be required of
    this person was shown.

    `factors` are those of this server, in order of preference; `enrolled` the kinds that the account has; proofs older than
    `fresh_after` (seconds) do not count. `demand.acr` is required as far as the person can reach it; the caller decides whether the
    reached level is enough. So is `demand.steps`: the caller decides whether another factor has to be set up (`met`).

    The first factors are the same for everybody: before the person is identified they reveal nothing about an account (R80).
    """
    proofs = counting(proofs, fresh_after)
    shown = {proof.kind for proof in proofs}
    if not begun(factors, shown):
        return tuple(one for one in factors if one.comes_first and one.counts_for)
    have = steps(shown, factors, enrolled)
    adding = _without_lone_backups(one for one in factors if one.kind in enrolled and steps_of(one) - have)
    if at_least(demand.acr, PHR) and (resistant := _resistant(factors, proofs, enrolled, demand)):
        return resistant
    if at_least(demand.acr, AAL2):
        raising = _without_lone_backups(strong(adding))
        reached = categories(shown, strong(factors))
        if level(reached) != level(reached.union(*(one.counts_for for one in raising))):
            return _backups_last(raising)
    if max(1, len(have)) >= demand.steps:
        return ()
    # beside a restricted first factor a password alone is not enough: what completes the sign-in comes first
    done = [one for one in adding if len(steps({*shown, one.kind}, factors, enrolled)) >= demand.steps]
    return _backups_last([*done, *(one for one in adding if one not in done)])


def met(
    factors: Sequence[FactorTraits],
    *,
    proofs: Sequence[Proof],
    enrolled: frozenset[str],
    demand: StepDemand,
    fresh_after: int | None,
) -> bool:
    """Whether the proofs, which identify the person, are as many steps as are demanded."""
    shown = {proof.kind for proof in counting(proofs, fresh_after)}
    return max(1, len(steps(shown, factors, enrolled))) >= demand.steps


def begun(factors: Sequence[FactorTraits], shown: Collection[str]) -> bool:
    """Whether proofs of the kinds `shown` identify the person."""
    return any(one.comes_first and one.counts_for for one in factors if one.kind in shown)


def _resistant(
    factors: Sequence[FactorTraits], proofs: Sequence[Proof], enrolled: Collection[str], demand: StepDemand
) -> tuple[FactorTraits, ...]:
    """The phishing-resistant factors of the person; none if one was shown that reaches the level, or was shown in this sign-in.

    Which key in hardware a person has is known only when it is used. So one proof from a session is not enough to give up, but one
    in this sign-in is: who has no such key is not asked for it again.
    """
    found = tuple(one for one in factors if one.phishing_resistant)
    kinds = {one.kind for one in found}
    shown = [proof for proof in proofs if proof.kind in kinds]
    if shown:
        if any(proof.against is not None for proof in shown) or demand.acr in levels(proofs, factors):
            return ()
        found = tuple(one for one in found if one.hardware)
        if at_least(demand.acr, AAL3):
            found = tuple(one for one in found if len(one.counts_for) > 1)
    return tuple(one for one in found if one.kind in enrolled)


def _without_lone_backups(found: Iterable[FactorTraits]) -> tuple[FactorTraits, ...]:
    """None, if no factor is left for which the backups could stand in."""
    some = tuple(found)
    return () if all(one.backup for one in some) else some


def _backups_last(found: Sequence[FactorTraits]) -> tuple[FactorTraits, ...]:
    return tuple(sorted(found, key=lambda one: one.backup))
