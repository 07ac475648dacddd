"""Recovery codes in the sign-in flow: a substitute for the other second factor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

from doorward.core.abstract_struct import AbstractStruct
from doorward.core.amounts import moment
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.signin import Proof
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.features.audit.build import audit_log
from doorward.features.audit.service import AuditLog
from doorward.features.authn.factors.recovery_codes import rules as rule
from doorward.features.authn.factors.recovery_codes.views import CODE_WORDS, USE_LINK, RecoveryWrong
from doorward.features.authn.flow.factor import TYPED_CODE_PATH, TYPED_CODE_STEP, TypedCode
from doorward.features.authn.flow.held import FactorSummary, HeldFactor
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.authn.flow.rules.standing import shown_with
from doorward.features.services import Services
from doorward.storage.sql.store import Store, Write
from doorward.web.pages.views.said import Said
from doorward.web.pages.views.sign_in import CodeWords


@final
class RecoveryCodesTyped(AbstractStruct, TypedCode, frozen=True, kw_only=True):
    """Typed recovery codes. The owner gets a mail about each use."""

    kind: ClassVar[str] = rule.TRAITS.kind
    words: ClassVar[CodeWords | None] = CODE_WORDS
    wrong: ClassVar[Said] = RecoveryWrong.CODE
    store: Store
    audit_log: AuditLog
    mail_queue: MailQueue

    @property
    def method(self) -> str:
        """A name that is older than that of the factor."""
        return "recovery"

    def takes(self, typed: str) -> bool:
        """Whether the text has the format of a recovery code."""
        return rule.digest(typed) is not None

    async def match(
        self, account: Account, rows: Sequence[EnrolledFactor], typed: str, request: str, now: int
    ) -> tuple[Proof, Sequence[Write]] | None:
        """The proof of an unused code, and the write that spends it; None for a wrong or spent one."""
        del account, request
        found = rule.match(rows, typed)
        if found is None:
            return None
        spend = self.store.accounts.use_up(found.id, now)
        return shown_with(rule.TRAITS, found, now), (spend,)

    def spent(
        self, account: Account, rows: Sequence[EnrolledFactor], caller: Caller, now: int
    ) -> Sequence[Write]:
        """The audit event and the mail about the use."""
        left = rule.left(rows) - 1
        mail = owner_mail(self.mail_queue, "recovery_code_used", account, caller, now, left=left)
        return (
            self.audit_log.write(
                "recovery_codes.used", caller=caller, now=now, account_id=account.id, left=left
            ),
            self.store.messages.insert_mail(mail),
        )


@final
class RecoveryCodesFactor(FactorPlug, frozen=True, kw_only=True):
    """Recovery codes as a factor. They are removed with the last factor for which they stand in."""

    async def held(self, account: Account, rows: Sequence[EnrolledFactor]) -> Sequence[HeldFactor]:
        """None: operators see how many there are (`summary`)."""
        del account, rows
        return ()

    def summary(self, rows: Sequence[EnrolledFactor]) -> FactorSummary:
        """How many are left and used, and when they were made."""
        codes = [row for row in rows if row.kind == rule.TRAITS.kind]
        left = sum(row.used_at is None for row in codes)
        made_at = max((row.created_at for row in codes), default=None)
        said = {"left": left, "used": len(codes) - left, "made_at": made_at}
        shown = f"{left} left of {len(codes)}, made {moment(made_at)}" if made_at is not None else None
        return FactorSummary(
            members={"recovery_codes": said}, lines=() if shown is None else (("recovery codes", shown),)
        )


def recovery_codes_factor(services: Services) -> FactorPlug:
    """Recovery codes as a factor. They are removed with the last factor for which they stand in."""
    return RecoveryCodesFactor(
        traits=rule.TRAITS,
        path=f"{TYPED_CODE_PATH}?method=recovery",
        link=USE_LINK,
        step=TYPED_CODE_STEP,
        typed_code=RecoveryCodesTyped(
            store=services.store, audit_log=services.get(audit_log), mail_queue=services.mail
        ),
        stands_in_for=rule.STANDS_IN_FOR,
    )
