"""Codes by mail as a second step of the sign-in.

A mailbox is no authenticator (NIST SP 800-63B-4 §3.1.3): such a code is a step, and never raises the level to AAL2.
"""

from __future__ import annotations

from typing import ClassVar, Final, final

from msgspec import Struct

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.device import describe
from doorward.core.model.sent_code import DeliveryState, SentCode
from doorward.core.ports.keys import Sealer
from doorward.core.ports.mail_queue import MailQueue
from doorward.features.authn.factors.email_code.messages import NAME
from doorward.features.authn.factors.email_code.views import NOTHING_THERE
from doorward.features.authn.flow.build import sent_codes
from doorward.features.authn.flow.factor import TYPED_CODE_PATH, TYPED_CODE_STEP
from doorward.features.authn.flow.held import HeldFactor, NoticeName
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.authn.flow.rules import sent_code as rule
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.flow.sent_code import CodeMessage, SentCodeTyped
from doorward.features.rate_limits.build import throttle
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.features.services import Services
from doorward.storage.sql.store import Store, Write
from doorward.web.pages.words import N_

TRAITS: Final = FactorTraits(
    kind="email_code", amr=("otp",), counts_for=frozenset({"held"}), always_asked=True, restricted=True
)
ADDRESS_PURPOSE: Final = "factor-address"


@final
class MailDelivery(Struct, frozen=True, kw_only=True):
    """Codes by mail. A factor without an address of its own follows the address of the account."""

    store: Store
    sealer: Sealer
    mail_queue: MailQueue
    throttle: Throttle
    kind: str = TRAITS.kind

    def target(self, account: Account, factor: EnrolledFactor) -> str:
        """The address of the factor."""
        if factor.sealed is None and account.email is not None:
            return account.email
        if factor.sealed is None:
            # such a factor is set up for the address of the account, which nothing takes away
            raise ValueError(f"{factor.id} follows an address that its account does not have")
        return self.sealer.open(ADDRESS_PURPOSE, factor.id, factor.sealed).decode()

    async def take(
        self, target: str, account: Account, *, enrolling: bool, caller: Caller, now: int
    ) -> Wait | None:
        """Count a mail by its address and its requester. An address that nobody has proven yet may be a stranger's: no device is known
        to it."""
        known = account if not enrolling or target == account.email else None
        return await self.throttle.mail(target, known, caller=caller, now=now)

    def shown(self, target: str, account: Account) -> str:
        """The address of the account, which the page shows anyway; of another one, its first letter and its domain."""
        return target if target == account.email else rule.masked(target)

    async def state(self, code: SentCode) -> DeliveryState:
        """Whether our mail server has taken the mail. What becomes of it afterwards is not known: a later answer comes to the sender's
        mailbox. `delayed` from the second try on, so that a mail that is being sent is not called so."""
        mail = await self.store.messages.mail(code.message_id)
        if mail is None or mail.sent_at is not None:
            return "under_way"
        if mail.failed_at is not None:
            return "failed"
        return "delayed" if mail.tries > 1 else "under_way"

    def write(self, message: CodeMessage) -> tuple[str, Write]:
        """The mail. It is sent only while the code in it works."""
        values = {"code": message.code, "minutes": rule.TTL // 60}
        if not message.enrolling:
            values |= {
                "app": message.app,
                "at": message.now,
                "device": describe(message.caller.user_agent),
                "password": message.account.password_hash is not None,
            }
        mail = self.mail_queue.write(
            "address_code" if message.enrolling else "sign_in_code",
            to=message.target,
            locale=message.locale,
            now=message.now,
            values=values,
            ticket_id=message.code_id,
        )
        return mail.id, self.store.messages.insert_mail(mail)


@final
class MailedCodes(SentCodeTyped, frozen=True, kw_only=True):
    """Six-digit codes from a mail."""

    kind: ClassVar[str] = TRAITS.kind
    nothing_there: ClassVar[str] = NOTHING_THERE


@final
class EmailCodeFactor(FactorPlug, frozen=True, kw_only=True):
    """Codes by mail as a factor: once set up, one is required at every sign-in, unless another second step is shown."""

    def named(self, one: HeldFactor) -> NoticeName:
        """By its address, masked."""
        return NoticeName(NAME, {"address": one.to or ""})


def mail_delivery(services: Services) -> MailDelivery:
    """The delivery of codes by mail."""
    return MailDelivery(
        store=services.store,
        sealer=services.sealer,
        mail_queue=services.mail,
        throttle=services.get(throttle),
    )


def email_code_factor(services: Services) -> FactorPlug:
    """Codes by mail as a factor: once set up, one is required at every sign-in, unless another second step is shown."""
    return EmailCodeFactor(
        traits=TRAITS,
        path=f"{TYPED_CODE_PATH}?method={TRAITS.kind}",
        link=N_("Get a code by email"),
        step=TYPED_CODE_STEP,
        typed_code=MailedCodes(
            traits=TRAITS,
            store=services.store,
            codes=services.get(sent_codes),
            delivery=services.get(mail_delivery),
        ),
    )
