"""Acceptable next factors of a sign-in; pages and JSON endpoint use the same rule (ASVS 6.3.4, R85)."""

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
    """The factors of which any one may be shown next, the preferred one first and backups last; empty when all that can be required of
    this person was shown.

    `factors` are those of this server, in order of preference; `enrolled` the kinds that the account has; proofs older than
    `fresh_after` (seconds) do not count. `wanted_acr` is required as far as the person can reach it; the caller decides whether the
    reached level is enough. An app can require more than a person usually shows, never less: once a factor with
    `always_asked` is set up, AAL2 is required in any case, by this factor or by another.

    The first factors are the same for everybody: before the person is identified they reveal nothing about an account (R80).
    """
    shown = {proof.kind for proof in counting(proofs, fresh_after)}
    if not begun(factors, shown):
        return tuple(one for one in factors if one.comes_first and one.counts_for)
    have = categories(shown, factors)
    adding = [one for one in factors if one.kind in enrolled and one.counts_for - have]
    if all(one.backup for one in adding):
        # no factor is left for which they could stand in
        adding = []
    goal = _goal(factors, enrolled, wanted_acr)
    reachable = level(have.union(*(one.counts_for for one in adding)))
    if LEVELS.index(level(have)) >= min(LEVELS.index(goal), LEVELS.index(reachable)):
        return ()
    return tuple(sorted(adding, key=lambda one: one.backup))


def begun(factors: Sequence[FactorTraits], shown: Collection[str]) -> bool:
    """Whether proofs of the kinds `shown` identify the person."""
    return any(one.comes_first and one.counts_for for one in factors if one.kind in shown)


def _goal(factors: Sequence[FactorTraits], enrolled: frozenset[str], wanted_acr: str | None) -> str:
    asked = AAL2 if any(one.always_asked and one.kind in enrolled for one in factors) else AAL1
    wanted = wanted_acr if wanted_acr in LEVELS else AAL1
    return max(asked, wanted, key=LEVELS.index)
