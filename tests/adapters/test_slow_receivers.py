"""Mails and text messages to receivers that are slow delay nobody else's.

docs/incidents/0126-one-slow-receiver-held-up-seven-codes.md
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Collection, Iterator, Sequence

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.mail.delivery import MailWorker
from doorward.adapters.mail.queue import SealedMailQueue
from doorward.adapters.mail.smtp import SmtpSender, SmtpServer
from doorward.adapters.no_metrics import NoMetrics
from doorward.adapters.random import SystemRandom
from doorward.adapters.sending import AT_ONCE, OF_RECEIVER, PARTS, Sending, of_worker
from doorward.adapters.sms.delivery import SmsWorker
from doorward.core.model.message import EmailMessage, OutgoingMail
from doorward.core.model.text_message import SMS_PURPOSE, OutgoingSms, Sms
from doorward.core.ports.message_channel import MessageAccepted, Report, Unsigned
from doorward.storage.sql.messages import SqlMessages
from doorward.storage.sql.statements import MOST_LEFT_OUT
from doorward.storage.sql.store import Store
from tests import ports
from tests.manual_clock import NOW, ManualClock
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(83)]
SEALER = KeyedSealer(b"k" * 32)
MESSAGE = EmailMessage(subject="Your code", text="123456", html="")
SLOW, LATER = "slow.example", 20


class Relay:
    """A mail server that asks the recipient's before it answers; those of `SLOW` answer when the test lets them."""

    # ruff: noqa: N802 - the mail server calls its hooks by the commands' names

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.taken: list[str] = []
        self.asked: list[str] = []
        self.go_on = threading.Event()

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.endswith(SLOW):
            self.asked.append(address)
            await asyncio.to_thread(self.go_on.wait, PATIENCE)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.taken += envelope.rcpt_tos
        return "250 OK"


async def until(there: list[str], number: int, clock: ManualClock | None = None) -> None:
    """Waits; `clock` goes on meanwhile, so that a mail which a busy machine did not send in time is tried again."""
    async with asyncio.timeout(PATIENCE):
        while len(there) < number:
            await asyncio.sleep(0.01)
            if clock is not None:
                clock.time += 1


@pytest.fixture
def relay() -> Iterator[Relay]:
    relay = Relay()
    yield relay
    relay.go_on.set()


@pytest.fixture
async def outbox(store: Store, relay: Relay) -> AsyncGenerator[Store]:
    """With a running worker, which has nothing to do for the rest of the test but at the end of a try."""
    running = Controller(relay, hostname="127.0.0.1", port=ports.free_port())
    running.start()
    server = SmtpServer(host="127.0.0.1", port=running.port, sender="a@example.com", tls="none", timeout=60)
    worker = MailWorker(
        store=store,
        sealer=SEALER,
        sender=SmtpSender(server),
        clock=relay.clock,
        metrics=NoMetrics(),
        interval=0.05,
    )
    task = asyncio.create_task(worker.run())
    yield store
    relay.go_on.set()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    running.stop()


async def post(store: Store, *recipients: str) -> None:
    queue = SealedMailQueue(
        sealer=SEALER, random=SystemRandom(), render=lambda _kind, _locale, _values: MESSAGE
    )
    mails = [queue.write("sign_in_code", to=to, locale=None, now=NOW, values={}) for to in recipients]
    assert await store.commit(*(store.messages.insert_mail(mail) for mail in mails))


async def test_a_slow_recipient_holds_up_no_other(outbox: Store, relay: Relay) -> None:
    await post(outbox, f"one@{SLOW}", *(f"p{number}@well{number}.example" for number in range(LATER)))
    await until(relay.taken, LATER, relay.clock)
    await post(outbox, "late@well.example")
    await until(relay.taken, LATER + 1, relay.clock)
    assert set(relay.asked) == {f"one@{SLOW}"}
    relay.go_on.set()
    await until(relay.taken, LATER + 2, relay.clock)


async def test_a_domain_with_a_long_queue_leaves_room_for_the_others(outbox: Store, relay: Relay) -> None:
    """Also for what comes behind the whole queue, which is longer than what one look reads."""
    many = 3 * AT_ONCE
    await post(outbox, *(f"p{number}@{SLOW}" for number in range(many)))
    await until(relay.asked, OF_RECEIVER, relay.clock)
    await post(outbox, *(f"p{number}@well.example" for number in range(LATER)))
    await until(relay.taken, LATER, relay.clock)
    assert len(set(relay.asked)) == OF_RECEIVER
    relay.go_on.set()
    await until(relay.taken, many + LATER, relay.clock)
    assert len(set(relay.taken)) == many + LATER, "each is sent once"


class Gateway:
    """Accepts at once, but for Germany: there when the test lets it."""

    name = "gateway"

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.go_on = asyncio.Event()

    async def send(self, to: str, text: str, *, message_id: str) -> MessageAccepted:
        if to.startswith("+49"):
            await self.go_on.wait()
        self.taken.append(message_id)
        return MessageAccepted(f"gw_{message_id} {text}")

    def report(self, headers: object, body: bytes, now: int) -> Report | Unsigned | None:
        raise NotImplementedError

    async def close(self) -> None:
        pass


async def texted(store: Store, number: int, *, to: str, country: str) -> None:
    message_id = f"sms_{number:03}"
    content = Sms(to=to, text="123456", expires_at=NOW + 600, code="123456")
    row = OutgoingSms(
        id=message_id,
        kind="code",
        account_id="usr_ada",
        code_id=None,
        country=country,
        sealed=SEALER.seal(SMS_PURPOSE, message_id, msgspec.json.encode(content)),
        created_at=NOW,
        next_try_at=NOW,
    )
    assert await store.commit(store.outgoing_sms.insert(row))


async def test_a_country_that_is_slow_holds_up_no_other(store: Store) -> None:
    gateway = Gateway()

    async def valid(_code_id: str, _now: int) -> None:
        return None

    worker = SmsWorker(
        store=store,
        sealer=SEALER,
        channel=gateway,
        clock=ManualClock(),
        metrics=NoMetrics(),
        failed=lambda _message, _reason: pytest.fail("no message failed"),
        spent=valid,
        interval=0.05,
    )
    for number in range(3 * AT_ONCE):
        await texted(store, number, to="+491712345678", country="DE")
    for number in range(500, 500 + LATER):
        await texted(store, number, to="+33612345678", country="FR")
    running = asyncio.create_task(worker.run())
    await until(gateway.taken, LATER)
    assert set(gateway.taken) == {f"sms_{number}" for number in range(500, 500 + LATER)}
    gateway.go_on.set()
    await until(gateway.taken, LATER + 3 * AT_ONCE)
    running.cancel()


@pytest.mark.parametrize("domains", [1, 102])
async def test_a_look_reads_no_more_than_can_be_sent(
    store: Store, monkeypatch: pytest.MonkeyPatch, domains: int
) -> None:
    """The rows hold the mails: a long queue was read again, 48 rows at a time, after each mail."""
    many, read, due_mail = 102, list[int](), SqlMessages.due_mail

    async def counted(
        self: SqlMessages, now: int, limit: int = 20, *, but: Collection[str] = ()
    ) -> Sequence[OutgoingMail]:
        rows = await due_mail(self, now, limit, but=but)
        read.append(len(rows))
        return rows

    class Taking:
        def __init__(self) -> None:
            self.taken: list[str] = []

        async def send(self, to: str, message: EmailMessage, *, mail_id: str, at: int) -> None:
            del message, mail_id, at
            # they end one after another
            await asyncio.sleep(0.001 * (1 + len(self.taken) % 8))
            self.taken.append(to)

    monkeypatch.setattr(SqlMessages, "due_mail", counted)
    await post(store, *(f"p{number}@well{number % domains}.example" for number in range(many)))
    relay = Taking()
    worker = MailWorker(
        store=store, sealer=SEALER, sender=relay, clock=ManualClock(), metrics=NoMetrics(), interval=PATIENCE
    )
    running = asyncio.create_task(worker.run())
    await until(relay.taken, many)
    running.cancel()
    assert len(set(relay.taken)) == many
    assert sum(read) <= 2 * many, read


@pytest.mark.parametrize("turns", [0, 3])
async def test_what_could_not_be_sent_is_left_until_the_next_look(turns: int) -> None:
    """It is due still: looking at once again and again would take the whole processor. What comes behind it is sent."""
    waiting = ["stuck", *(f"i{number}" for number in range(5))]
    looks, tries = list[int](), list[str]()

    async def due(_full: Collection[str], limit: int) -> Sequence[str]:
        for _ in range(turns):
            await asyncio.sleep(0)
        looks.append(limit)
        return waiting[:limit]

    async def send(item: str) -> bool:
        tries.append(item)
        if item != "stuck":
            waiting.remove(item)
        return item != "stuck"

    async def many_turns() -> None:
        for _ in range(500):
            await asyncio.sleep(0)

    sending = Sending(name="test", due=due, send=send, key=str, receiver=str, most=2)
    running = asyncio.create_task(sending.run(PATIENCE))
    await many_turns()
    assert waiting == ["stuck"]
    tried, looked = tries.count("stuck"), len(looks)
    assert tried <= 6
    assert looked <= 24
    await many_turns()
    assert (tries.count("stuck"), len(looks)) == (tried, looked), "nothing more before the next look"
    for _ in range(2):
        sending.woken.set()
        await many_turns()
    assert tried < tries.count("stuck") <= tried + 2
    running.cancel()


async def test_what_is_under_way_hides_nothing_behind_it() -> None:
    """A row that was read before its worker took it is due still."""
    waiting = [f"i{number}" for number in range(6)]
    started, go_on = list[str](), asyncio.Event()

    async def due(_full: Collection[str], limit: int) -> Sequence[str]:
        return waiting[:limit]

    async def send(item: str) -> bool:
        started.append(item)
        if item != "i0":
            await go_on.wait()
            return True
        waiting.remove(item)
        waiting.append("i0 again")
        return True

    sending = Sending(name="test", due=due, send=send, key=str, receiver=str, of_each=1, most=6)
    running = asyncio.create_task(sending.run(PATIENCE))
    for _ in range(200):
        await asyncio.sleep(0)
    assert started[-1] == "i0 again"
    running.cancel()


def test_all_receivers_without_room_can_be_left_out() -> None:
    assert MOST_LEFT_OUT == PARTS
    for most in range(8, AT_ONCE + 1):
        assert (most - 1) // (-(-most // PARTS)) <= MOST_LEFT_OUT
    assert -(-AT_ONCE // PARTS) == OF_RECEIVER


def test_the_workers_of_a_node_share_the_connections_that_a_mail_server_allows() -> None:
    """Postfix accepts 50 connections of one client."""
    assert {workers: of_worker(workers) for workers in (1, 2, 3, 4, 6, 64)} == {
        1: 24,
        2: 24,
        3: 16,
        4: 12,
        6: 8,
        64: 8,
    }
    assert all(workers * of_worker(workers) <= 50 for workers in range(1, 7))


async def test_a_worker_that_is_woken_and_stopped_at_once_ends() -> None:
    """docs/incidents/0128-a-worker-that-was-woken-was-not-stopped.md"""

    async def due(_full: Collection[str], _limit: int) -> Sequence[str]:
        return ()

    async def send(_item: str) -> bool:
        return True

    for turns in range(4):
        sending = Sending(name="test", due=due, send=send, key=str, receiver=str)
        running = asyncio.create_task(sending.run(PATIENCE))
        for _ in range(10):
            await asyncio.sleep(0)
        sending.woken.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        done, _ = await asyncio.wait({running}, timeout=PATIENCE)
        assert done == {running}
        assert running.cancelled()
