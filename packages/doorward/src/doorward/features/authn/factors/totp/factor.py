"""Codes of an authenticator app in the sign-in flow (RFC 6238)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, final

from doorward.core import text
from doorward.core.abstract_struct import AbstractStruct
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.signin import Proof
from doorward.core.ports.keys import Sealer
from doorward.features.authn.factors.totp import rules as rule
from doorward.features.authn.factors.totp.messages import NAME, RESET
from doorward.features.authn.factors.totp.views import CODE_WORDS, USE_LINK
from doorward.features.authn.flow.factor import TYPED_CODE_PATH, TYPED_CODE_STEP, TypedCode
from doorward.features.authn.flow.held import FactorSummary, HeldFactor, NoticeName
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.authn.flow.rules.standing import shown_with
from doorward.features.services import Services
from doorward.storage.sql.store import Store, Write
from doorward.web.pages.views.sign_in import CodeWords

SEED_PURPOSE: Final = "totp"


@final
class TotpCodes(AbstractStruct, TypedCode, frozen=True, kw_only=True):
    """Six-digit codes of an authenticator app."""

    kind: ClassVar[str] = rule.TRAITS.kind
    words: ClassVar[CodeWords | None] = CODE_WORDS
    store: Store
    sealer: Sealer
    window: int = rule.WINDOW

    @property
    def method(self) -> str:
        """A name that is older than that of the factor."""
        return "authenticator"

    def takes(self, typed: str) -> bool:
        """Whether the text is six digits."""
        return rule.looks_like(text.code(typed))

    async def match(
        self, account: Account, rows: Sequence[EnrolledFactor], typed: str, request: str, now: int
    ) -> tuple[Proof, Sequence[Write]] | None:
        """The proof by the app that shows this code now, or did a moment ago, and the write that spends its time step (RFC 6238 §5.2)."""
        del account, request
        digits = text.code(typed)
        for row in rows:
            if row.kind != rule.TRAITS.kind or row.sealed is None:
                continue
            seed = self.sealer.open(SEED_PURPOSE, row.id, row.sealed)
            step = rule.match(seed, digits, now=now, last_step=row.last_step, window=self.window)
            if step is not None:
                spend = self.store.accounts.use_step(row.id, step)
                return shown_with(rule.TRAITS, row, now), (spend,)
        return None


@final
class TotpFactor(FactorPlug, frozen=True, kw_only=True):
    """The authenticator app as a factor: once set up, it is required at every sign-in."""

    async def held(self, account: Account, rows: Sequence[EnrolledFactor]) -> Sequence[HeldFactor]:
        """With the beginning of the time step that was used last."""
        del account
        return [
            HeldFactor(id=row.id, kind=row.kind, added_at=row.created_at, last_used_at=_used_at(row))
            for row in rows
            if row.kind == rule.TRAITS.kind
        ]

    def summary(self, rows: Sequence[EnrolledFactor]) -> FactorSummary:
        """The first one, as documents had it before people could have several second factors."""
        row = next((row for row in rows if row.kind == rule.TRAITS.kind), None)
        held = None if row is None else {"added_at": row.created_at, "last_used_at": _used_at(row)}
        return FactorSummary(members={"authenticator": held})

    def named(self, one: HeldFactor) -> NoticeName:
        """There is only one."""
        del one
        return NoticeName(NAME)


def _used_at(row: EnrolledFactor) -> int | None:
    return None if row.last_step is None else row.last_step * rule.PERIOD


def totp_factor(services: Services) -> FactorPlug:
    """The authenticator app as a factor: once set up, it is required at every sign-in."""
    return TotpFactor(
        traits=rule.TRAITS,
        path=TYPED_CODE_PATH,
        link=USE_LINK,
        step=TYPED_CODE_STEP,
        typed_code=TotpCodes(
            store=services.store, sealer=services.sealer, window=services.second_factor.totp_tolerance
        ),
        reset_words=RESET,
    )
