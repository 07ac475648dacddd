"""Recovery codes as a factor of the sign-in flow: they stand in for what else is set up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.device import describe
from doorward.core.model.signin import Proof
from doorward.core.ports.mail_queue import Postman
from doorward.core.ports.store import Store, Write
from doorward.features.audit.service import Record
from doorward.features.authn.factors.recovery_codes import rules as rule
from doorward.features.authn.flow.factor import TYPED_CODE_PATH, TYPED_CODE_STEP
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.sessions.browser_context import BrowserPages
from doorward.web.pages.words import N_, Words
from doorward.web.route import Route

_LABEL: Final = N_("Use a recovery code")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodesTyped:
    """A code from paper. Its owner hears of each use."""

    store: Store
    record: Record
    postman: Postman

    def takes(self, typed: str) -> bool:
        """Whether it has the signs of one."""
        return rule.digest(typed) is not None

    def match(self, rows: Sequence[EnrolledFactor], typed: str, now: int) -> tuple[Proof, Write] | None:
        """The unused code that was typed."""
        found = rule.match(rows, typed)
        if found is None:
            return None
        return rule.of_code(found, now), self.store.accounts.use_recovery_code(found.id, now)

    def spent(
        self, account: Account, rows: Sequence[EnrolledFactor], caller: Caller, now: int
    ) -> Sequence[Write]:
        """A line in the audit log, and a mail."""
        left = rule.left(rows) - 1
        mail = self.postman.write(
            "recovery_code_used",
            to=account.email,
            locale=account.locale,
            now=now,
            values={"at": now, "left": left, "device": describe(caller.user_agent)},
        )
        return (
            self.record.write(
                "recovery_codes.used", caller=caller, now=now, account_id=account.id, left=left
            ),
            self.store.messages.insert_mail(mail),
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodesFactor:
    """Codes that were made with an authenticator app."""

    typed_code: RecoveryCodesTyped
    traits: FactorTraits = rule.TRAITS
    path: str = f"{TYPED_CODE_PATH}?method=recovery"
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
        """Whether an unused one is left."""
        del account
        return rule.left(rows) > 0

    def stands(self, proof: Proof, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Until new codes are made, or the app goes that they stood in for."""
        del account
        return rule.stands(proof, rows)
