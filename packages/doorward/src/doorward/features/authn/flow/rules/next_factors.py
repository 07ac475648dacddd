"""Acceptable next factors of a sign-in: one answer for every way in (ASVS 6.3.4, R85)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from doorward.core.model.levels import AAL1, AAL2, LEVELS
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.assurance import FactorTraits, categories, counting, level


def next_factors(
    factors: Sequence[FactorTraits],
    *,
    proofs: Sequence[Proof],
    enrolled: frozenset[str],
    wanted_acr: str | None,
    fresh_after: int | None,
) -> tuple[FactorTraits, ...]:
    """Any one of these may be shown next, the preferred one first and backups last; none when everything that this
    person can be asked for has been shown.

    `factors` are those of this server, in order of preference; `enrolled` the kinds that the account has; `fresh_after` (seconds) makes
    older proofs not count. `wanted_acr` is asked for as far as the person can reach it: whether what they reach is enough is the
    caller's question. An app can ask for more than a person usually shows, and never for less: a factor that is always asked for is
    asked for whatever the app wants.

    What may come first is the same for everybody: until somebody has shown who they are, it says nothing about an account (R80).
    """
    shown = {proof.kind for proof in counting(proofs, fresh_after)}
    if not begun(factors, shown):
        return tuple(one for one in factors if one.comes_first and one.counts_for)
    have = categories(shown, factors)
    adding = [one for one in factors if one.kind in enrolled and one.counts_for - have]
    if all(one.backup for one in adding):
        # there is nothing left that they could stand in for
        adding = []
    goal = _goal(factors, enrolled, wanted_acr)
    reachable = level(have.union(*(one.counts_for for one in adding)))
    if LEVELS.index(level(have)) >= min(LEVELS.index(goal), LEVELS.index(reachable)):
        return ()
    return tuple(sorted(adding, key=lambda one: one.backup))


def begun(factors: Sequence[FactorTraits], shown: Collection[str]) -> bool:
    """Whether proofs of the kinds `shown` say who the person is."""
    return any(one.comes_first and one.counts_for for one in factors if one.kind in shown)


def _goal(factors: Sequence[FactorTraits], enrolled: frozenset[str], wanted_acr: str | None) -> str:
    asked = AAL2 if any(one.always_asked and one.kind in enrolled for one in factors) else AAL1
    wanted = wanted_acr if wanted_acr in LEVELS else AAL1
    return max(asked, wanted, key=LEVELS.index)
