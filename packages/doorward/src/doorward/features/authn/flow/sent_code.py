"""Codes sent to a mailbox or a phone: sending within limits, and matching of what was typed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Protocol, TypeVar, final

from msgspec import Struct, structs

from doorward.core import text
from doorward.core.abstract_struct import AbstractStruct
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.sent_code import DeliveryState, SentCode
from doorward.core.model.signin import Proof, SignIn
from doorward.core.ports.keys import Sealer
from doorward.core.ports.metrics import Metrics
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.flow.factor import TypedCode
from doorward.features.authn.flow.rules import sent_code as rule
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.flow.rules.sent_code import NotYet
from doorward.features.authn.flow.rules.standing import shown_with
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store, Write
from doorward.web.pages.views.sent_code import NOTHING_THERE

CODE_PURPOSE: Final = "sent-code"
TARGET_PURPOSE: Final = "enrol-target"
CODE_ID: Final = "cod"
_TRIES: Final = 8
_HOUR: Final = 3600
_Why = TypeVar("_Why", bound="NotYet | Wait | Undeliverable")


class CodeMessage(Struct, frozen=True, kw_only=True):
    """A code on its way to its owner. `target` is an address or a number; `app` the name of the app that started the sign-in, None
    for a sign-in to the account pages; `enrolling`: the target is not proven yet."""

    code_id: str
    code: str
    target: str
    account: Account
    locale: str
    app: str | None
    enrolling: bool
    caller: Caller
    now: int
    expires_at: int


class Undeliverable(Struct, frozen=True):
    """No message can be sent to this target, whatever the time."""


class Delivery(Protocol):
    """How the codes of one kind of factor reach their owner. Mail and text messages are the two implementations."""

    @property
    def kind(self) -> str:
        """The kind of the factor."""
        ...

    def target(self, account: Account, factor: EnrolledFactor) -> str:
        """Where the factor's codes go."""
        ...

    async def take(
        self, target: str, account: Account, *, enrolling: bool, caller: Caller, now: int
    ) -> Wait | Undeliverable | None:
        """Count one message, before it is written. None: it may be sent."""
        ...

    def shown(self, target: str, account: Account) -> str:
        """The target as the pages show it: who has shown only a first factor need not learn the whole number."""
        ...

    async def state(self, code: SentCode) -> DeliveryState:
        """What is known of the message with this code. Told to nobody who has not shown a first factor (R80)."""
        ...

    def write(self, message: CodeMessage) -> tuple[str, Write]:
        """The id of the message, and the write that puts it into its outbox."""
        ...


class CodeSent(Struct, frozen=True):
    """A code is on its way; the next may be asked for at `again_at`."""

    code: SentCode
    again_at: int


@final
class SentCodes(Struct, frozen=True, kw_only=True):
    """One live code for each sign-in or enrolment and each kind. Only its keyed hash is stored."""

    store: Store
    random: SecureRandom
    sealer: Sealer
    throttle: Throttle
    audit_log: AuditLog
    metrics: Metrics

    async def send(
        self,
        delivery: Delivery,
        *,
        request: str,
        account: Account,
        factor: EnrolledFactor | None,
        target: str,
        locale: str,
        app: str | None,
        caller: Caller,
        now: int,
    ) -> CodeSent | NotYet | Wait | Undeliverable:
        """Send a code to `target`; an earlier one of this request no longer works. `factor` is None while `target` is being enrolled.

        The caller has made sure that this person has shown a first factor, and may show or enrol this one.
        """
        kind = delivery.kind
        known = await self.throttle.known(caller.devices, account.id) is not None
        codes = await self.store.sent_codes.of_account(account.id)
        may = rule.may_send(codes, request, kind, now, known_device=known)
        if isinstance(may, NotYet):
            return await self._refused(may, kind, account, caller, now)
        taken = await delivery.take(target, account, enrolling=factor is None, caller=caller, now=now)
        if taken is not None:
            return await self._refused(taken, kind, account, caller, now)
        code_id, digits, expires_at = (
            self.random.new_id(CODE_ID),
            self.random.digits(rule.DIGITS),
            now + rule.TTL,
        )
        message_id, message = delivery.write(
            CodeMessage(
                code_id=code_id,
                code=digits,
                target=target,
                account=account,
                locale=account.locale or locale,
                app=app,
                enrolling=factor is None,
                caller=caller,
                now=now,
                expires_at=expires_at,
            )
        )
        again_at = now + rule.PAUSE
        event = self.audit_log.write(
            "second_factor.code_sent", caller=caller, now=now, account_id=account.id, method=kind
        )
        for _ in range(_TRIES):
            code = SentCode(
                id=code_id,
                request=request,
                account_id=account.id,
                kind=kind,
                factor_id=factor.id if factor is not None else None,
                code_hash=self._hash(code_id, digits),
                target=self.sealer.seal(TARGET_PURPOSE, code_id, target.encode()) if factor is None else None,
                message_id=message_id,
                sends=may.number,
                created_at=now,
                expires_at=expires_at,
            )
            if await self.store.commit(
                # of two requests at once one sends
                self.store.replay_cache.claim("code_sent", f"{kind}:{request}", again_at, now=now),
                # and of those for one account, each decides by all codes that were sent before it
                self.store.replay_cache.claim("code_after", _after(account, codes), again_at, now=now),
                *(self.store.sent_codes.end(ended.id, now) for ended in may.ends),
                self.store.sent_codes.insert(code),
                message,
                event,
            ):
                self.metrics.inc("sent_codes", f"{kind}_sent")
                return CodeSent(code, again_at)
            codes = await self.store.sent_codes.of_account(account.id)
            may = rule.may_send(codes, request, kind, now, known_device=known)
            if isinstance(may, NotYet):
                return await self._refused(may, kind, account, caller, now)
        return NotYet(again_at, "pause")

    async def match(self, kind: str, request: str, typed: str, now: int) -> SentCode | None:
        """The code of this request, if it was typed. Each guess is counted first, so that of any number sent at once only as many are
        compared as the limit allows. The caller commits `store.sent_codes.use`, which only one request can."""
        code = await self.store.sent_codes.of_request(request, kind)
        for _ in range(_TRIES):
            if code is None or code.used_at is not None or code.tries >= rule.TRIES:
                return None
            if await self.store.commit(self.store.sent_codes.count_try(code)):
                counted = structs.replace(code, tries=code.tries + 1)
                shown = self._hash(code.id, text.code(typed))
                missed = rule.check(counted, shown, request=request, kind=kind, now=now)
                return counted if missed is None else None
            code = await self.store.sent_codes.get(code.id)
        return None

    async def live(self, kind: str, request: str, now: int) -> SentCode | None:
        """The code of this request that would be accepted now. For the page; nothing is written."""
        code = await self.store.sent_codes.of_request(request, kind)
        return code if code is not None and rule.live((code,), now) else None

    def proven_target(self, code: SentCode) -> str:
        """The address or number that a matched code of an enrolment proves. Raises ValueError for a code of a sign-in."""
        if code.target is None:
            raise ValueError("the code was sent to a factor that exists")
        return self.sealer.open(TARGET_PURPOSE, code.id, code.target).decode()

    async def problem(self, code_id: str, now: int) -> str | None:
        """Why the code in a queued message no longer works, in a few words for the log; None while it works. Raises
        `StoreUnavailable`."""
        code = await self.store.sent_codes.get(code_id)
        if code is None or now >= code.expires_at:
            return "its code has expired"
        return None if code.used_at is None else "its code was used or replaced"

    async def _refused(self, why: _Why, kind: str, account: Account, caller: Caller, now: int) -> _Why:
        """The audit log has one line an hour for each account, however often somebody asks."""
        self.metrics.inc("sent_codes", f"{kind}_refused")
        if isinstance(why, NotYet) and why.why == "pause":
            return why
        await self.store.commit(
            self.store.replay_cache.claim("code_refused", account.id, now + _HOUR, now=now),
            self.audit_log.write(
                "second_factor.code_refused",
                caller=caller,
                now=now,
                account_id=account.id,
                ok=False,
                method=kind,
            ),
        )
        return why

    def _hash(self, code_id: str, code: str) -> bytes:
        # six digits: a plain hash is reversed at once, a keyed one reveals nothing without the server's key
        return self.sealer.tag(CODE_PURPOSE, f"{code_id}:{code}").encode("ascii")


def _after(account: Account, codes: Sequence[SentCode]) -> str:
    """Names what was decided by: the account, and its codes in any state."""
    ids = ",".join(sorted(code.id for code in codes))
    return f"{account.id}:{hashlib.sha256(ids.encode()).hexdigest()}"


class SentCodeTyped(AbstractStruct, TypedCode, frozen=True, kw_only=True):
    """The typed code of a factor whose codes are sent; a subclass names its kind."""

    nothing_there: ClassVar[str] = NOTHING_THERE
    """What the page asks before the button for another code."""
    traits: FactorTraits
    store: Store
    codes: SentCodes
    delivery: Delivery

    def takes(self, typed: str) -> bool:
        """Whether the text is six digits."""
        return rule.looks_like(text.code(typed))

    def sent_to(self, account: Account, row: EnrolledFactor) -> str | None:
        """The target, masked."""
        return self.delivery.shown(self.delivery.target(account, row), account)

    async def described(
        self, sign_in: SignIn, account: Account, rows: Sequence[EnrolledFactor], now: int
    ) -> Mapping[str, Any]:
        """Where the next code goes, or where the one that works was sent."""
        own = [row for row in rows if row.kind == self.kind]
        code = await self.codes.live(self.kind, sign_in.id, now)
        sent_to = next((row for row in own if code is not None and row.id == code.factor_id), None)
        row = sent_to or (own[-1] if own else None)
        if row is None:
            return {}
        to = self.sent_to(account, row)
        state = "under_way" if code is None else await self.delivery.state(code)
        undelivered = {} if state == "under_way" else {"undelivered": state}
        return {"to": to, "sent": sent_to is not None, **undelivered}

    async def match(
        self, account: Account, rows: Sequence[EnrolledFactor], typed: str, request: str, now: int
    ) -> tuple[Proof, Sequence[Write]] | None:
        """The proof by the code that was sent for this sign-in, to a factor that the account still has."""
        code = await self.codes.match(self.kind, request, typed, now)
        if code is None or code.account_id != account.id:
            return None
        row = next((row for row in rows if row.id == code.factor_id and row.kind == self.kind), None)
        if row is None:
            return None
        return shown_with(self.traits, row, now), (self.store.sent_codes.use(code.id, now),)
