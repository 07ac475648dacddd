"""The factors of this server, asked all at once: which proofs still count, what they amount to, what may be shown next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.flow.factor import Factor
from doorward.features.authn.flow.rules import assurance
from doorward.features.authn.flow.rules.assurance import Achieved, FactorTraits
from doorward.features.authn.flow.rules.next_factors import begun, next_factors


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedFactors:
    """`all` are in order of preference. Raises ValueError for two of one kind."""

    all: tuple[Factor, ...]
    traits: tuple[FactorTraits, ...] = field(init=False)
    _by_kind: dict[str, Factor] = field(init=False)

    def __post_init__(self) -> None:
        by_kind = {factor.traits.kind: factor for factor in self.all}
        if len(by_kind) != len(self.all):
            raise ValueError("two factors of one kind")
        object.__setattr__(self, "traits", tuple(factor.traits for factor in self.all))
        object.__setattr__(self, "_by_kind", by_kind)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of proof that count here."""
        return frozenset(self._by_kind)

    @property
    def first(self) -> tuple[Factor, ...]:
        """Those with which anybody's sign-in may begin."""
        return self._of(
            next_factors(self.traits, proofs=(), enrolled=frozenset(), wanted_acr=None, fresh_after=None)
        )

    def standing(
        self, proofs: Sequence[Proof], account: Account, rows: Sequence[EnrolledFactor]
    ) -> tuple[Proof, ...]:
        """The proofs that still count for `account`, whose other factors are `rows`; of a kind that is unknown here, none."""
        return tuple(
            proof
            for proof in proofs
            if (factor := self._by_kind.get(proof.kind)) is not None and factor.stands(proof, account, rows)
        )

    def next(
        self, sign_in: SignIn, account: Account, rows: Sequence[EnrolledFactor], *, wanted_acr: str | None
    ) -> tuple[Factor, ...]:
        """Any one of these may be shown next; none when all that this person can be asked for was shown. The sign-in's proofs are
        those that stand."""
        enrolled = frozenset(factor.traits.kind for factor in self.all if factor.enrolled(account, rows))
        chosen = next_factors(
            self.traits,
            proofs=sign_in.proofs,
            enrolled=enrolled,
            wanted_acr=wanted_acr,
            fresh_after=sign_in.fresh_after,
        )
        return self._of(chosen)

    def second_factor(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether more than a password is asked for at every sign-in of this account."""
        return any(factor.traits.always_asked and factor.enrolled(account, rows) for factor in self.all)

    def with_backups(self, kind: str) -> list[str]:
        """The kinds that go when the factor of this kind is taken out: itself, and what stands in for it alone."""
        return [kind, *(factor.traits.kind for factor in self.all if factor.stands_in_for == kind)]

    def begun(self, proofs: Sequence[Proof]) -> bool:
        """Whether these proofs say who the person is."""
        return begun(self.traits, {proof.kind for proof in proofs})

    def achieved(self, proofs: Sequence[Proof]) -> Achieved:
        """What the proofs amount to. Raises ValueError where none counts."""
        return assurance.achieved(proofs, self.traits)

    def _of(self, chosen: Sequence[FactorTraits]) -> tuple[Factor, ...]:
        return tuple(self._by_kind[one.kind] for one in chosen)
