"""Phones of an account, with the real store, gateway stand-in and worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest

from doorward.adapters.counters.store import StoreCounters
from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.mail.queue import SealedMailQueue, open_message
from doorward.adapters.metrics import PrometheusMetrics
from doorward.adapters.random import SystemRandom
from doorward.adapters.sms.delivery import SmsWorker
from doorward.adapters.sms.webhook import WebhookChannel
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.message import EmailMessage
from doorward.core.model.policy import ThrottlePolicy, TokenPolicy
from doorward.core.model.session import Session
from doorward.features.audit.service import AuditLog
from doorward.features.authn.factors.sms.budget import SmsBudget
from doorward.features.authn.factors.sms.delivery import SmsDelivery
from doorward.features.authn.factors.sms.outbox import SmsOutbox
from doorward.features.authn.factors.sms.reports import failure
from doorward.features.authn.factors.sms.service import CodeUnderWay, Phones
from doorward.features.authn.factors.sms.settings import SmsPolicy
from doorward.features.authn.flow.gate import NewFactors
from doorward.features.authn.flow.rules.sent_code import NotYet
from doorward.features.authn.flow.rules.standing import stands_by
from doorward.features.authn.flow.sent_code import CodeSent, SentCodes, Undeliverable
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store
from tests.gateway import TOKEN, Gateway, running
from tests.manual_clock import ManualClock

pytestmark = pytest.mark.anyio
SEALER = KeyedSealer(b"k" * 32)
ADA = Account(id="usr_ada", email="ada@example.com", created_at=1)
CALLER = Caller("192.0.2.1", "", "req-1")
NUMBER = "+491712345678"
HERE = "ses_1"


@dataclass(kw_only=True)
class Desk:
    """The phones of Ada, and everything behind them."""

    store: Store
    gateway: Gateway
    clock: ManualClock
    phones: Phones
    worker: SmsWorker

    async def begin(self, typed: str = "+49 171 2345678", *, binding: str = HERE) -> object:
        return await self.phones.begin(
            ADA, typed, binding=binding, locale="en", caller=CALLER, now=self.clock.time
        )

    async def code(self, number: str = NUMBER) -> str:
        await self.worker.send_due()
        return self.gateway.to(number).code

    async def add(self, typed: str = "+49 171 2345678") -> None:
        sent = await self.begin(typed)
        assert isinstance(sent, CodeSent)
        number = "+" + "".join(char for char in typed if char.isdigit())
        shown = await self.phones.proven(ADA, await self.code(number), binding=HERE, now=self.clock.time)
        assert isinstance(shown, tuple)
        new = self.phones.added(ADA, *shown, session_id=HERE, caller=CALLER, now=self.clock.time)
        assert await self.store.commit(*new.writes)

    async def mails(self) -> list[str]:
        return [mail.kind for mail in await self.store.messages.recent_mail()]


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running() as gateway:
        yield gateway


@pytest.fixture
async def desk(store: Store, gateway: Gateway) -> Desk:
    assert await store.commit(store.accounts.insert(ADA), store.sessions.insert(_session(HERE)))
    return desk_of(store, gateway)


def _session(session_id: str) -> Session:
    return Session(
        id=session_id,
        secret_hash=session_id.encode(),
        account_id=ADA.id,
        created_at=1,
        seen_at=1,
        auth_time=1,
        expires_at=2**40,
        acr="urn:doorward:aal1",
        amr=("pwd",),
    )


def desk_of(store: Store, gateway: Gateway, policy: SmsPolicy | None = None) -> Desk:
    policy = policy or SmsPolicy(channel="webhook", countries=("DE", "AT"))
    clock, random, metrics = ManualClock(), SystemRandom(), PrometheusMetrics()
    throttle = Throttle(
        store=store, sealer=SEALER, policy=ThrottlePolicy(), counters=StoreCounters(store=store)
    )
    audit_log = AuditLog(store=store, random=random)
    codes = SentCodes(
        store=store, random=random, sealer=SEALER, throttle=throttle, audit_log=audit_log, metrics=metrics
    )
    budget = SmsBudget(
        store=store, sealer=SEALER, throttle=throttle, audit_log=audit_log, metrics=metrics, policy=policy
    )
    outbox = SmsOutbox(random=random, sealer=SEALER, brand="Acme", host="auth.example.com")
    mail_queue = SealedMailQueue(
        sealer=SEALER,
        random=random,
        render=lambda kind, _locale, values: EmailMessage(subject=kind, text=str(values), html=""),
    )
    phones = Phones(
        store=store,
        random=random,
        sealer=SEALER,
        codes=codes,
        delivery=SmsDelivery(store=store, sealer=SEALER, budget=budget, outbox=outbox, policy=policy),
        budget=budget,
        throttle=throttle,
        mail_queue=mail_queue,
        audit_log=audit_log,
        revoker=Revoker(store=store, random=random, config=cast("Any", None), policy=TokenPolicy()),
        gate=NewFactors(store=store),
        policy=policy,
    )
    worker = SmsWorker(
        store=store,
        sealer=SEALER,
        channel=WebhookChannel(url=gateway.url, token=TOKEN, clock=clock, development=True),
        clock=clock,
        metrics=metrics,
        failed=lambda message, reason: failure(store, random, message, reason, clock.time),
        spent=codes.problem,
    )
    return Desk(store=store, gateway=gateway, clock=clock, phones=phones, worker=worker)


@pytest.mark.requirement(83)
async def test_a_number_is_proven_before_it_counts(desk: Desk) -> None:
    assert isinstance(await desk.begin(), CodeSent)
    assert await desk.store.accounts.factors(ADA.id) == []
    assert await desk.phones.under_way(HERE, desk.clock.time) == CodeUnderWay(
        "+49 ••• ••78", desk.clock.time + 60, "under_way"
    )
    code = await desk.code()
    assert desk.gateway.to(NUMBER).text == f"{code} is your code for Acme.\n\n@auth.example.com #{code}"
    shown = await desk.phones.proven(ADA, code, binding=HERE, now=desk.clock.time)
    assert isinstance(shown, tuple)
    new = desk.phones.added(ADA, *shown, session_id=HERE, caller=CALLER, now=desk.clock.time)
    proof = new.proof
    assert await desk.store.commit(*new.writes)
    (factor,) = await desk.store.accounts.factors(ADA.id)
    assert (proof.kind, proof.amr) == ("sms", ("sms",))
    assert stands_by(proof, [factor], {"sms"})
    assert desk.phones.number(factor) == NUMBER
    assert factor.sealed is not None
    assert b"1712345678" not in factor.sealed
    assert await desk.mails() == ["phone_added"]
    (mail,) = await desk.store.messages.recent_mail()
    assert "+49 ••• ••78" in open_message(SEALER, mail).text
    assert NUMBER not in open_message(SEALER, mail).text


@pytest.mark.requirement(82)
async def test_a_code_adds_a_phone_once(desk: Desk) -> None:
    await desk.begin()
    shown = await desk.phones.proven(ADA, await desk.code(), binding=HERE, now=desk.clock.time)
    assert isinstance(shown, tuple)
    first = desk.phones.added(ADA, *shown, session_id=HERE, caller=CALLER, now=desk.clock.time)
    second = desk.phones.added(ADA, *shown, session_id=HERE, caller=CALLER, now=desk.clock.time)
    assert await desk.store.commit(*first.writes)
    assert not await desk.store.commit(*second.writes)
    assert len(await desk.store.accounts.factors(ADA.id)) == 1


@pytest.mark.requirement(83)
async def test_a_code_belongs_to_its_session_and_ends_after_ten_minutes(desk: Desk) -> None:
    await desk.begin()
    code = await desk.code()
    assert await desk.phones.proven(ADA, code, binding="ses_2", now=desk.clock.time) is None
    assert await desk.phones.proven(ADA, code, binding=HERE, now=desk.clock.time + 600) is None
    assert await desk.phones.under_way(HERE, desk.clock.time + 600) is None
    assert isinstance(await desk.phones.proven(ADA, code, binding=HERE, now=desk.clock.time + 599), tuple)


async def test_a_message_that_did_not_arrive_is_told_on_the_page(desk: Desk) -> None:
    await desk.begin()
    desk.gateway.answers.append((400, b""))
    await desk.worker.send_due()
    found = await desk.phones.under_way(HERE, desk.clock.time)
    assert found is not None
    assert found.delivery == "failed"
    (event,) = await desk.store.audit.page(kind="sms.failed")
    assert event.account_id == ADA.id
    desk.clock.time += 60
    assert isinstance(
        await desk.phones.again(ADA, binding=HERE, locale="en", caller=CALLER, now=desk.clock.time), CodeSent
    )
    found = await desk.phones.under_way(HERE, desk.clock.time)
    assert found is not None
    assert found.delivery == "under_way", "the failure is of the earlier message"


async def test_a_message_that_is_put_off_is_told_on_the_page(desk: Desk) -> None:
    await desk.begin()
    desk.gateway.answers.append((503, b""))
    await desk.worker.send_due()
    found = await desk.phones.under_way(HERE, desk.clock.time)
    assert found is not None
    assert found.delivery == "delayed"
    desk.clock.time += 2
    await desk.worker.send_due()
    found = await desk.phones.under_way(HERE, desk.clock.time)
    assert found is not None
    assert found.delivery == "under_way"


async def test_another_message_has_a_pause_and_ends_the_code_before(desk: Desk) -> None:
    await desk.begin()
    first = await desk.code()
    again = await desk.phones.again(ADA, binding=HERE, locale="en", caller=CALLER, now=desk.clock.time)
    assert isinstance(again, NotYet)
    desk.clock.time += 60
    assert isinstance(
        await desk.phones.again(ADA, binding=HERE, locale="en", caller=CALLER, now=desk.clock.time), CodeSent
    )
    second = await desk.code()
    if first != second:
        assert await desk.phones.proven(ADA, first, binding=HERE, now=desk.clock.time) is None
    assert isinstance(await desk.phones.proven(ADA, second, binding=HERE, now=desk.clock.time), tuple)
    assert (
        await desk.phones.again(ADA, binding="ses_2", locale="en", caller=CALLER, now=desk.clock.time) is None
    )


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", "unreadable"),
        ("+49 900 1 234567", "not_mobile"),
        ("+44 7400 123456", "country"),
        ("+49 171 23", "invalid"),
    ],
)
async def test_no_message_goes_to_a_number_that_is_not_allowed(desk: Desk, typed: str, problem: str) -> None:
    assert await desk.begin(typed) == problem
    await desk.worker.send_due()
    assert desk.gateway.taken == []


@pytest.mark.requirement(93)
async def test_a_person_has_at_most_two_phones_and_each_number_once(desk: Desk) -> None:
    await desk.add()
    desk.clock.time += 1000
    assert await desk.begin("0049 171/2345678") == "known"
    await desk.add("+49 171 2345679")
    desk.clock.time += 1000
    assert await desk.begin("+49 171 2345670") == "enough"


async def test_a_removed_phone_is_gone_and_its_owner_is_told(desk: Desk) -> None:
    await desk.add()
    (row,) = await desk.store.accounts.factors(ADA.id)
    here = HERE

    async def remove() -> object:
        return await desk.phones.remove_phone(
            ADA,
            row,
            lambda left: [] if left else ["recovery_code"],
            rows=await desk.store.accounts.factors(ADA.id),
            session_id=here,
            caller=CALLER,
            now=desk.clock.time,
        )

    assert await desk.store.commit(desk.store.sessions.end(HERE, desk.clock.time, "signed_out"))
    assert await remove() is False, "who is signed out removes nothing"
    assert await desk.store.accounts.factors(ADA.id) == [row]
    await desk.store.commit(desk.store.sessions.insert(_session("ses_2")))
    here = "ses_2"
    assert await remove() is True
    assert await desk.store.accounts.factors(ADA.id) == []
    assert sorted(await desk.mails()) == ["phone_added", "phone_removed"]
    assert await remove() is False
    assert [event.kind for event in await desk.store.audit.page()][:1] == ["second_factor.removed"]


@pytest.mark.requirement(83)
async def test_a_code_is_for_the_person_to_whose_enrolment_it_was_sent(desk: Desk) -> None:
    """One sign-in may change its person: with the password of another one."""
    bob = Account(id="usr_bob", email="bob@example.com", created_at=1)
    assert await desk.store.commit(desk.store.accounts.insert(bob))
    assert isinstance(await desk.begin(), CodeSent)
    code = await desk.code()
    assert await desk.phones.proven(bob, code, binding=HERE, now=desk.clock.time) is None
    assert await desk.phones.proven(ADA, code, binding=HERE, now=desk.clock.time) is not None


@pytest.mark.requirement(93)
async def test_an_enrolment_that_is_begun_again_and_again_sends_few_messages(desk: Desk) -> None:
    sent = 0
    for at in range(50):
        outcome = await desk.begin(f"+49 171 23456{at:02d}", binding=f"ses_{at}")
        assert isinstance(outcome, CodeSent | Wait | NotYet)
        sent += isinstance(outcome, CodeSent)
        desk.clock.time += 1
    assert sent <= 3, "of one account"
    while await desk.worker.send_due():
        pass
    assert len(desk.gateway.taken) <= 3


async def test_a_country_that_was_taken_out_gets_no_more_messages(desk: Desk) -> None:
    await desk.add()
    strict = desk_of(desk.store, desk.gateway, SmsPolicy(channel="webhook", countries=("AT",)))
    taken = await strict.phones.delivery.take(
        NUMBER, ADA, enrolling=False, caller=CALLER, now=desk.clock.time
    )
    assert taken == Undeliverable()
