"""Codes by mail that the mail server refuses or puts off: the page says so to who has shown a first factor, and to nobody else."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import pytest

from doorward.adapters.mail.delivery import MailWorker
from doorward.adapters.mail.smtp import MailDelayed, MailRefused
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.message import EmailMessage
from doorward.core.model.policy import SecondFactorPolicy
from tests.browsing import Page
from tests.front_channel import Front, front_channel
from tests.tabs import Tab

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(100)]

REFUSED = "We couldn't deliver a message to ada@example.com ."
DELAYED = "Our message to ada@example.com hasn't been accepted yet."
SENT = "We've sent a code to ada@example.com ."
KINDS = SecondFactorPolicy(kinds=("totp", "email_code"))


@dataclass
class Sender:
    """A mail server with an answer of its own: an error, or None."""

    answer: Exception | None = None
    codes: list[str] = field(default_factory=list[str])

    async def send(self, to: str, message: EmailMessage, *, mail_id: str, at: int) -> object:
        """Take the mail, or raise the answer."""
        del to, mail_id, at
        if self.answer is not None:
            raise self.answer
        self.codes.append(message.code or "")
        return "250"


@dataclass
class Mailing:
    """A server whose mail is sent when the test says so. Ada gets codes by mail."""

    front: Front
    sender: Sender
    worker: MailWorker
    ada: Account

    async def deliver(self) -> None:
        """Try everything that is due."""
        while await self.worker.send_due():
            pass

    async def at_code(self, tab: Tab) -> Page:
        """The page after the right password."""
        return await tab.on(await tab.sign_in())


@pytest.fixture
async def mailing() -> AsyncGenerator[Mailing]:
    async with front_channel(second_factor=KINDS) as front:
        ada, sender, services = await front.person(), Sender(), front.services
        factor = EnrolledFactor("fac_mail", ada.id, "email_code", front.now)
        assert await front.store.commit(front.store.accounts.add_factor(factor))
        worker = MailWorker(
            store=front.store,
            sealer=services.sealer,
            sender=sender,
            clock=front.clock,
            metrics=services.metrics,
        )
        yield Mailing(front, sender, worker, ada)


async def watched(tab: Tab, flow: str, kind: str = "email_code") -> tuple[int, dict[str, str]]:
    """What a page that stays open is told."""
    answer = await tab.get(f"/sign-in/code/delivery?kind={kind}&flow={flow}")
    return answer.status, json.loads(answer.text)


async def test_a_refused_mail_is_told_until_another_one_is_sent(mailing: Mailing) -> None:
    front, tab = mailing.front, mailing.front.browser()
    page = await mailing.at_code(tab)
    assert SENT in page.words
    mailing.sender.answer = MailRefused("no such mailbox")
    await mailing.deliver()
    page = await tab.get(page.path)
    assert REFUSED in page.words
    assert SENT not in page.words
    early = await tab.submit(page, "send")
    assert early.status == 429
    assert REFUSED in early.words, "who asks again too early learns it, too"
    front.clock.time += 60
    mailing.sender.answer = None
    again = await tab.on(await tab.submit(page, "send"))
    assert REFUSED not in again.words
    await mailing.deliver()
    assert REFUSED not in (await tab.get(again.path)).words
    done = await tab.submit(again, "second-factor", code=mailing.sender.codes[-1])
    assert done.header("location") == "/account"


async def test_a_mail_that_is_put_off_twice_is_told_and_its_code_works_when_it_comes(
    mailing: Mailing,
) -> None:
    front, tab = mailing.front, mailing.front.browser()
    page = await mailing.at_code(tab)
    mailing.sender.answer = MailDelayed("greylisted")
    await mailing.deliver()
    assert DELAYED not in (await tab.get(page.path)).words
    front.clock.time += 5
    await mailing.deliver()
    page = await tab.get(page.path)
    assert DELAYED in page.words
    assert SENT not in page.words
    mailing.sender.answer = None
    front.clock.time += 15
    await mailing.deliver()
    page = await tab.get(page.path)
    assert SENT in page.words
    assert (await tab.submit(page, "second-factor", code=mailing.sender.codes[-1])).status == 303


@pytest.mark.requirement(80)
async def test_nobody_else_and_nobody_before_the_password_is_told(mailing: Mailing) -> None:
    front, tab = mailing.front, mailing.front.browser()
    page = await mailing.at_code(tab)
    flow = page.forms["second-factor"].fields["flow"]
    assert await watched(tab, flow) == (200, {"delivery": "under_way"})
    mailing.sender.answer = MailRefused("no such mailbox")
    await mailing.deliver()
    assert await watched(tab, flow) == (200, {"delivery": "failed"})
    nothing = (404, {"error": "invalid_session"})
    assert await watched(tab, flow, "sms") == nothing
    assert await watched(tab, "sin_nothing") == nothing
    stranger = front.browser()
    assert await watched(stranger, flow) == nothing
    # a sign-in of the stranger's own, in which no factor was shown
    begun = await stranger.get("/sign-in")
    wrong = await stranger.submit(
        begun, "sign-in", identifier=mailing.ada.known_as, password="not her password"
    )
    assert await watched(stranger, wrong.forms["sign-in"].fields["flow"]) == nothing
    assert "deliver" not in wrong.words


async def test_the_page_that_proves_an_address_tells_it(mailing: Mailing) -> None:
    front, tab = mailing.front, mailing.front.browser()
    page = await mailing.at_code(tab)
    await mailing.deliver()
    await tab.submit(page, "second-factor", code=mailing.sender.codes[-1])
    mailing.sender.answer = MailRefused("no such mailbox")
    page = await tab.get("/account/methods/email")
    sent = await tab.on(await tab.submit(page, "mail-codes-send", address="typo@example.com"))
    assert "We've sent a code to typo@example.com" in sent.words
    watch = "/account/methods/email/delivery"
    assert f'data-delivery="{watch}"' in sent.text
    assert json.loads((await tab.get(watch)).text) == {"delivery": "under_way"}
    await mailing.deliver()
    assert json.loads((await tab.get(watch)).text) == {"delivery": "failed"}, "for the script of the page"
    assert (await front.browser().get(watch)).status == 303, "others have to sign in"
    page = await tab.get(sent.path)
    assert "We couldn't deliver a message to typo@example.com . Check the address" in page.words
    front.clock.time += 60
    mailing.sender.answer = MailDelayed("greylisted")
    page = await tab.on(await tab.submit(page, "mail-codes-send", address="ada@example.net"))
    await mailing.deliver()
    front.clock.time += 5
    await mailing.deliver()
    assert "Our message to ada@example.net hasn't been accepted yet." in (await tab.get(page.path)).words
