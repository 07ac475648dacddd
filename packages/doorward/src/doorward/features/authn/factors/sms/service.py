"""Phones of an account: a number is added after a code sent to it comes back, and removed by its owner (R73, R83)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, final

from msgspec import Struct

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.sent_code import DeliveryState, SentCode
from doorward.core.ports.keys import Sealer
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.factors.sms.budget import SmsBudget
from doorward.features.authn.factors.sms.delivery import PHONE_PURPOSE, SmsDelivery
from doorward.features.authn.factors.sms.rules import phone as rule
from doorward.features.authn.factors.sms.rules.phone import KIND, Phone, PhoneProblem
from doorward.features.authn.factors.sms.settings import SmsPolicy
from doorward.features.authn.flow.changes import HeldMethods, guards
from doorward.features.authn.flow.enrolment import NewFactor
from doorward.features.authn.flow.gate import NewFactors
from doorward.features.authn.flow.rules.sent_code import PAUSE, NotYet
from doorward.features.authn.flow.rules.standing import shown_with
from doorward.features.authn.flow.sent_code import CodeSent, SentCodes, Undeliverable
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store, Write

MOST: Final = 2
"""Phones of one person."""


class CodeUnderWay(Struct, frozen=True):
    """The code of an enrolment: its masked number, when the next may be asked for, and what is known of the message."""

    number: str
    again_at: int
    delivery: DeliveryState


@final
class Phones(Struct, frozen=True, kw_only=True):
    """The caller makes sure that the person may enrol: a recent sign-in, or a sign-in whose first factor stands."""

    store: Store
    random: SecureRandom
    sealer: Sealer
    codes: SentCodes
    delivery: SmsDelivery
    budget: SmsBudget
    throttle: Throttle
    mail_queue: MailQueue
    audit_log: AuditLog
    revoker: Revoker
    gate: NewFactors
    policy: SmsPolicy

    async def begin(
        self, account: Account, typed: str, *, binding: str, locale: str, caller: Caller, now: int
    ) -> CodeSent | NotYet | Wait | Undeliverable | PhoneProblem | Literal["known", "enough", "not_yet"]:
        """Send a code to a number that was typed. `known`: the account has it already; `enough`: it has as many as it may;
        `not_yet`: a process of an older program still answers."""
        if not await self.gate.open():
            return "not_yet"
        phone = rule.parse(typed, countries=self.policy.countries, region=_region(locale))
        if not isinstance(phone, Phone):
            return phone
        rows = await self.of_account(account)
        if any(self.number(row) == phone.e164 for row in rows):
            return "known"
        if len(rows) >= MOST:
            return "enough"
        return await self._send(account, phone.e164, binding, locale, caller, now)

    async def again(
        self, account: Account, *, binding: str, locale: str, caller: Caller, now: int
    ) -> CodeSent | NotYet | Wait | Undeliverable | None:
        """Send another code to the same number. None: there is no enrolment."""
        code = await self._code(binding, now)
        if code is None:
            return None
        return await self._send(account, self.codes.proven_target(code), binding, locale, caller, now)

    async def under_way(self, binding: str, now: int) -> CodeUnderWay | None:
        """The code that is on its way, for the page. Nothing is written."""
        code = await self._code(binding, now)
        if code is None:
            return None
        phone = rule.stored(self.codes.proven_target(code))
        return CodeUnderWay(phone.masked, code.created_at + PAUSE, await self.delivery.state(code))

    async def proven(
        self, account: Account, typed: str, *, binding: str, now: int
    ) -> tuple[Phone, SentCode] | Wait | None:
        """The number whose code was typed. None: the code is wrong, spent or expired."""
        if (wait := await self.throttle.change("methods", account.id, now)) is not None:
            return wait
        code = await self.codes.match(KIND, _request(binding), typed, now)
        # a sign-in may have changed its person since the code was sent
        if code is None or code.account_id != account.id:
            return None
        return rule.stored(self.codes.proven_target(code)), code

    def added(
        self,
        account: Account,
        phone: Phone,
        code: SentCode,
        *,
        session_id: str | None,
        caller: Caller,
        now: int,
    ) -> NewFactor:
        """The new factor: with its writes the code is spent, the owner is told."""
        factor_id = self.random.new_id("fac")
        factor = EnrolledFactor(
            id=factor_id,
            account_id=account.id,
            kind=KIND,
            created_at=now,
            sealed=self.sealer.seal(PHONE_PURPOSE, factor_id, phone.e164.encode()),
        )
        writes = (
            self.store.sent_codes.use(code.id, now),
            self.store.accounts.add_factor(factor),
            *self.budget.proven(phone, now),
            self.gate.close_behind(),
            self._told("phone_added", account, phone, caller, now),
            self._noted("second_factor.added", account, session_id, caller, now),
        )
        return NewFactor(row=factor, proof=shown_with(rule.TRAITS, factor, now), writes=writes)

    async def remove_phone(
        self,
        account: Account,
        row: EnrolledFactor,
        orphaned: Callable[[Sequence[EnrolledFactor]], Sequence[str]],
        *,
        rows: Sequence[EnrolledFactor],
        also: Sequence[Write] = (),
        session_id: str,
        caller: Caller,
        now: int,
    ) -> bool | Wait:
        """Remove a phone; sign-ins in progress end. `rows` are all factors of the account, by which the caller has decided. `orphaned`: the
        kinds of backups that have nothing to stand in for when only these factors are left. `also` is part of the commit. False: it is
        not there any more, or the account changed meanwhile."""
        if (wait := await self.throttle.change("methods", account.id, now)) is not None:
            return wait
        phone = rule.stored(self.number(row))
        left = [one for one in rows if one.id != row.id]
        return await self.store.commit(
            *guards(self.store, HeldMethods(account, rows), session_id=session_id),
            self.store.accounts.remove_factor(account.id, row.id),
            *(self.store.accounts.remove_factors(account.id, kind) for kind in orphaned(left)),
            *also,
            *self.revoker.outstanding(account.id, now=now),
            self._told("phone_removed", account, phone, caller, now),
            self._noted("second_factor.removed", account, session_id, caller, now),
        )

    async def factors_of(self, account: Account) -> Sequence[EnrolledFactor]:
        """All factors of an account, by which the removal of a phone is decided."""
        return await self.store.accounts.factors(account.id)

    async def of_account(self, account: Account) -> list[EnrolledFactor]:
        """The phones of an account, the oldest first."""
        return [row for row in await self.factors_of(account) if row.kind == KIND]

    def number(self, row: EnrolledFactor) -> str:
        """The number of a phone, in E.164."""
        return self.delivery.number(row)

    async def _send(
        self, account: Account, number: str, binding: str, locale: str, caller: Caller, now: int
    ) -> CodeSent | NotYet | Wait | Undeliverable:
        return await self.codes.send(
            self.delivery,
            request=_request(binding),
            account=account,
            factor=None,
            target=number,
            locale=locale,
            app=None,
            caller=caller,
            now=now,
        )

    async def _code(self, binding: str, now: int) -> SentCode | None:
        return await self.codes.live(KIND, _request(binding), now)

    def _told(self, kind: str, account: Account, phone: Phone, caller: Caller, now: int) -> Write:
        mail = owner_mail(self.mail_queue, kind, account, caller, now, number=phone.masked)
        return self.store.messages.insert_mail(mail)

    def _noted(self, kind: str, account: Account, session_id: str | None, caller: Caller, now: int) -> Write:
        return self.audit_log.write(
            kind, caller=caller, now=now, account_id=account.id, session_id=session_id, method=KIND
        )


def _request(binding: str) -> str:
    return f"enrol:{binding}"


def _region(locale: str) -> str | None:
    """The country of a language tag such as de-CH."""
    return next((part for part in locale.split("-")[1:] if len(part) == 2), None)
