"""The factors of this server as one object: valid proofs, their assurance level, possible next factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from msgspec import Struct, field, structs

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.flow.factor import Factor
from doorward.features.authn.flow.held import FactorSummary, HeldFactor, NoticeName, ResetWords
from doorward.features.authn.flow.rules import assurance
from doorward.features.authn.flow.rules.assurance import Achieved, FactorTraits
from doorward.features.authn.flow.rules.next_factors import begun, met, next_factors
from doorward.features.authn.flow.rules.policy import StepDemand


@final
class OfferedFactors(Struct, frozen=True, kw_only=True):
    """`all` is in order of preference. `known` are those and others that are not offered now, for operators. Raises ValueError for two
    factors of one kind."""

    all: tuple[Factor, ...]
    known: tuple[Factor, ...] = ()
    traits: tuple[FactorTraits, ...] = ()
    _by_kind: dict[str, Factor] = field(default_factory=dict[str, Factor])

    def __post_init__(self) -> None:
        by_kind = {factor.traits.kind: factor for factor in self.all}
        if len(by_kind) != len(self.all):
            raise ValueError("two factors of one kind")
        structs.force_setattr(self, "traits", tuple(factor.traits for factor in self.all))
        structs.force_setattr(self, "_by_kind", by_kind)

    @property
    def _known(self) -> tuple[Factor, ...]:
        return self.known or self.all

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of proof that this server accepts."""
        return frozenset(self._by_kind)

    @property
    def backups(self) -> frozenset[str]:
        """The kinds that only stand in for others."""
        return frozenset(one.kind for one in self.traits if one.backup)

    @property
    def kept_at_reset(self) -> frozenset[str]:
        """The kinds that a reset of all second factors leaves."""
        return frozenset(one.traits.kind for one in self.all if one.kept_at_reset)

    @property
    def always_asked(self) -> frozenset[str]:
        """The kinds that every sign-in asks for, once they are set up."""
        return frozenset(one.kind for one in self.traits if one.always_asked)

    @property
    def first(self) -> tuple[Factor, ...]:
        """The factors with which a sign-in may begin."""
        return self._of(
            next_factors(self.traits, proofs=(), enrolled=frozenset(), demand=StepDemand(), fresh_after=None)
        )

    async def way_in(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether the person can sign in when only the factors `rows` are left. Every change that takes a way in away asks this, so that
        the last one stays, whatever it is. A mailbox is none: where codes by mail replace a password they need no setup, and the operator
        may stop them at any time."""
        for factor in self.first:
            if await factor.lets_in(account, rows):
                return True
        return False

    def instead_of_password(
        self, account: Account | None, rows: Sequence[EnrolledFactor], locale: str
    ) -> tuple[str, ...]:
        """What a person without a password signs in with, for a mail to their address; nothing for all others, known or not."""
        if account is None or account.password_hash is not None:
            return ()
        return self.named_ways(account, rows, locale)

    def named_ways(self, account: Account, rows: Sequence[EnrolledFactor], locale: str) -> tuple[str, ...]:
        """What a person with the factors `rows` signs in with, the password aside, in words for them."""
        return tuple(name for one in self.first for name in one.names(account, rows, locale))

    def standing(
        self, proofs: Sequence[Proof], account: Account, rows: Sequence[EnrolledFactor]
    ) -> tuple[Proof, ...]:
        """The proofs that still count for `account`, whose other factors are `rows`; proofs of an unknown kind are dropped."""
        return tuple(
            proof
            for proof in proofs
            if (factor := self._by_kind.get(proof.kind)) is not None and factor.stands(proof, account, rows)
        )

    def next(
        self, sign_in: SignIn, account: Account, rows: Sequence[EnrolledFactor], *, demand: StepDemand
    ) -> tuple[Factor, ...]:
        """The factors of which any one may be shown next; empty when all that can be required of this person was shown. The sign-in
        must hold only valid proofs."""
        chosen = next_factors(
            self.traits,
            proofs=sign_in.proofs,
            enrolled=self._enrolled(account, rows),
            demand=demand,
            fresh_after=sign_in.fresh_after,
        )
        return self._of(chosen)

    def met(
        self, sign_in: SignIn, account: Account, rows: Sequence[EnrolledFactor], *, demand: StepDemand
    ) -> bool:
        """Whether the proofs of the sign-in, all valid, are as many steps as are demanded."""
        return met(
            self.traits,
            proofs=sign_in.proofs,
            enrolled=self._enrolled(account, rows),
            demand=demand,
            fresh_after=sign_in.fresh_after,
        )

    def second_factor(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether every sign-in of this account requires more than a password."""
        return any(factor.demanded(account, rows) for factor in self.all)

    def password_elsewhere(self, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether the password of the person whose factors are `rows` is kept elsewhere, so that none is set or changed here."""
        return any(factor.keeps_password(rows) for factor in self.all)

    def beside_password(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether every sign-in also requires an authenticator, so that the password may be shorter (R77). A restricted factor is none: its
        mailbox opens with a password, often the same one. Nor is a key: it is removed without the password, which would then stand alone,
        however short it is."""
        return any(
            factor.demanded(account, rows)
            and not factor.traits.restricted
            and not factor.traits.phishing_resistant
            for factor in self.all
        )

    def two_steps(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether the person can show two steps of a sign-in with the factors `rows`, backups aside."""
        kinds = self._enrolled(account, rows) - self.backups
        return len(assurance.steps(kinds, self.traits, kinds)) > 1

    def reach(self, acr: str, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether the person can reach this level with the factors `rows`, backups aside."""
        kinds = self._enrolled(account, rows)
        return acr in assurance.attainable(
            [one for one in self.traits if one.kind in kinds and not one.backup]
        )

    def orphaned(self, left: Sequence[EnrolledFactor]) -> list[str]:
        """The kinds of backups that are removed when only the factors `left` remain: those with nothing to stand in for."""
        kinds = {row.kind for row in left}
        return [
            factor.traits.kind
            for factor in self.all
            if factor.traits.backup and not factor.stands_in_for & kinds
        ]

    def with_backups(self, kind: str, rows: Sequence[EnrolledFactor]) -> list[str]:
        """The kinds that are removed with all factors of this kind: itself, and backups that stand in for no other."""
        return [kind, *self.orphaned([row for row in rows if row.kind != kind])]

    async def held(self, account: Account, rows: Sequence[EnrolledFactor]) -> tuple[HeldFactor, ...]:
        """Those of `rows` that are no backups as operators see them, in their order; also those of kinds that this server does not know."""
        own = {one.id: one for factor in self._known for one in await factor.held(account, rows)}
        return tuple(
            own.get(row.id) or HeldFactor(id=row.id, kind=row.kind, added_at=row.created_at)
            for row in rows
            if row.kind not in self.backups
        )

    def summaries(self, rows: Sequence[EnrolledFactor]) -> tuple[FactorSummary, ...]:
        """What operators see besides."""
        return tuple(factor.summary(rows) for factor in self._known)

    def named(self, one: HeldFactor) -> NoticeName:
        """How a mail names a factor to its owner."""
        factor = next((factor for factor in self._known if factor.traits.kind == one.kind), None)
        return NoticeName(one.kind) if factor is None else factor.named(one)

    def reset_words(self, held: Sequence[HeldFactor]) -> ResetWords | None:
        """The words of a mail about the removal of these and of all backups, if they are of one kind that has some."""
        kinds = {one.kind for one in held}
        factor = self._by_kind.get(kinds.pop()) if len(kinds) == 1 else None
        return None if factor is None else factor.reset_words

    async def silent(self, account: Account, rows: Sequence[EnrolledFactor]) -> frozenset[str]:
        """The ids of rows that were made without a question, and that no sign-in asks for."""
        found = {one for factor in self._known for one in (await factor.unsure(account, rows)).silent}
        return frozenset(row.id for row in rows if row.id in found and row.kind not in self.always_asked)

    async def reliable(self, account: Account, rows: Sequence[EnrolledFactor]) -> list[EnrolledFactor]:
        """The rows on which a demand for a level may count."""
        besides = {one for factor in self._known for one in (await factor.unsure(account, rows)).unreliable}
        return [row for row in rows if row.id not in besides]

    def begun(self, proofs: Sequence[Proof]) -> bool:
        """Whether these proofs identify the person."""
        return begun(self.traits, {proof.kind for proof in proofs})

    def achieved(self, proofs: Sequence[Proof]) -> Achieved:
        """The assurance level of the proofs. Raises ValueError if none counts."""
        return assurance.achieved(proofs, self.traits)

    def _enrolled(self, account: Account, rows: Sequence[EnrolledFactor]) -> frozenset[str]:
        return frozenset(factor.traits.kind for factor in self.all if factor.enrolled(account, rows))

    def _of(self, chosen: Sequence[FactorTraits]) -> tuple[Factor, ...]:
        return tuple(self._by_kind[one.kind] for one in chosen)
