"""The authenticator app as a factor of the sign-in flow (RFC 6238)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

from doorward.core import text
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.signin import Proof
from doorward.core.ports.keys import Sealer
from doorward.core.ports.store import Store, Write
from doorward.features.authn.factors.totp import rules as rule
from doorward.features.authn.flow.factor import TYPED_CODE_PATH, TYPED_CODE_STEP
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.sessions.browser_context import BrowserPages
from doorward.web.pages.words import N_, Words
from doorward.web.route import Route

SEED_PURPOSE: Final = "totp"
_LABEL: Final = N_("Use your authenticator app")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TotpCodes:
    """Six digits that an app shows."""

    store: Store
    sealer: Sealer

    def takes(self, typed: str) -> bool:
        """Whether it is six digits."""
        return rule.looks_like(text.code(typed))

    def match(self, rows: Sequence[EnrolledFactor], typed: str, now: int) -> tuple[Proof, Write] | None:
        """The app that shows this code now, or did a moment ago; its time step is spent with it (RFC 6238 §5.2)."""
        digits = text.code(typed)
        for row in rows:
            if row.kind != rule.TRAITS.kind or row.sealed is None:
                continue
            seed = self.sealer.open(SEED_PURPOSE, row.id, row.sealed)
            step = rule.match(seed, digits, now=now, last_step=row.last_step)
            if step is not None:
                return rule.of_app(row, now), self.store.accounts.use_totp_step(row.id, step)
        return None

    def spent(
        self, account: Account, rows: Sequence[EnrolledFactor], caller: Caller, now: int
    ) -> Sequence[Write]:
        """Nothing: the app shows a new one."""
        del account, rows, caller, now
        return ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TotpFactor:
    """Once set up, it is asked for at every sign-in."""

    typed_code: TotpCodes
    traits: FactorTraits = rule.TRAITS
    path: str = TYPED_CODE_PATH
    setup_path: None = None
    step: str = TYPED_CODE_STEP
    json_step: None = None

    def label(self, locale: str) -> str:
        """What a link to its page says."""
        return Words(locale).text(_LABEL)

    def routes(self, pages: BrowserPages, flow: FlowPages) -> Sequence[Route]:
        """It is shown on the page of typed codes."""
        del pages, flow
        return ()

    def enrolled(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether an app is set up."""
        del account
        return any(row.kind == self.traits.kind for row in rows)

    def stands(self, proof: Proof, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Until another app is set up."""
        del account
        return rule.stands(proof, rows)
