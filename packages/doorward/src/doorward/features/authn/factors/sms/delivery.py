"""Delivery of codes by text message, for the flow's sent codes."""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.sent_code import DeliveryState, SentCode
from doorward.core.ports.keys import Sealer
from doorward.features.authn.factors.sms.budget import SmsBudget
from doorward.features.authn.factors.sms.outbox import SmsOutbox
from doorward.features.authn.factors.sms.rules import phone as rule
from doorward.features.authn.factors.sms.settings import SmsPolicy
from doorward.features.authn.flow.sent_code import CodeMessage, Undeliverable
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.storage.sql.store import Store, Write

PHONE_PURPOSE: Final = "phone"
"""The sealing purpose of a number, under the factor's id."""


@final
class SmsDelivery(Struct, frozen=True, kw_only=True):
    """`Delivery` for numbers in E.164. A country that the operator has since taken out of `sms.countries` gets no more messages."""

    store: Store
    sealer: Sealer
    budget: SmsBudget
    outbox: SmsOutbox
    policy: SmsPolicy
    kind: str = rule.KIND

    def target(self, account: Account, factor: EnrolledFactor) -> str:
        """The number of the factor."""
        del account
        return self.number(factor)

    def number(self, factor: EnrolledFactor) -> str:
        """The same, in E.164."""
        if factor.sealed is None:
            raise ValueError("a phone without a number")
        return self.sealer.open(PHONE_PURPOSE, factor.id, factor.sealed).decode()

    def shown(self, target: str, account: Account) -> str:
        """The number, masked."""
        del account
        return rule.stored(target).masked

    async def state(self, code: SentCode) -> DeliveryState:
        """What the gateway said of the message with this code. Without a problem it is taken, or its code was used or replaced."""
        message = await self.store.outgoing_sms.get(code.message_id)
        if message is None or message.problem is None:
            return "under_way"
        return "delayed" if message.failed_at is None else "failed"

    async def take(
        self, target: str, account: Account, *, enrolling: bool, caller: Caller, now: int
    ) -> Wait | Undeliverable | None:
        """Count one message to the number."""
        phone = rule.stored(target)
        if self.policy.channel == "none" or phone.country not in self.policy.countries:
            return Undeliverable()
        if enrolling:
            return await self.budget.take_for_enrolment(phone, account.id, caller=caller, now=now)
        return await self.budget.take(phone, account.id, caller=caller, now=now)

    def write(self, message: CodeMessage) -> tuple[str, Write]:
        """The message into the outbox."""
        row = self.outbox.write(
            rule.stored(message.target),
            message.code,
            code_id=message.code_id,
            account_id=message.account.id,
            locale=message.locale,
            now=message.now,
            expires_at=message.expires_at,
        )
        return row.id, self.store.outgoing_sms.insert(row)
