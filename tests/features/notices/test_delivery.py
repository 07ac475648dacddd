"""Bundles of notices: several become one mail, repeated ones are told once, and volume hides nothing (R93, R99)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec import structs

from doorward.adapters.mail.delivery import CLAIM
from doorward.adapters.mail.smtp import MailDelayed
from doorward.features.notices.build import notice_bundles
from doorward.features.notices.settings import NoticePolicy
from tests.engines import BOTH
from tests.features.notices.outbox import Outbox, link_of
from tests.front_channel import Front, front_channel

pytestmark = pytest.mark.anyio
ENGINES = BOTH


@pytest.fixture
async def front(own_database: str | None) -> AsyncIterator[Front]:
    async with front_channel(database=own_database or ":memory:") as started:
        yield started


@pytest.fixture
def outbox(front: Front) -> Outbox:
    return Outbox(front)


async def test_several_within_a_short_time_become_one_mail(front: Front, outbox: Outbox) -> None:
    ada = await front.person()
    await outbox.happens("new_device", ada)
    await outbox.happens("passkey_added", ada, name="Laptop")
    await outbox.happens("phone_added", ada, number="+49 ••• ••78")
    assert await outbox.run(29) == []
    ((to, mail),) = await outbox.run(1)
    assert to == ada.email
    assert mail.subject == "A phone was added to your account at Doorward, and 2 more notices"
    order = [mail.text.index(said) for said in ("* A phone was", "* A passkey was", "* New sign-in")]
    assert order == sorted(order)
    assert "“Laptop”" in mail.text
    assert "From an unknown place (192.0.2.7)" in mail.text
    assert mail.text.count("/not-me?token=") == 1
    assert await outbox.run(86_400 * 2) == []


async def test_one_alone_is_the_mail_as_it_was_written(front: Front, outbox: Outbox) -> None:
    ada = await front.person()
    await outbox.happens("new_device", ada, app="Orders")
    ((_, mail),) = await outbox.run(30)
    assert mail.subject == "New sign-in to your account at Doorward"
    assert "Somebody signed in to Orders with your account" in mail.text
    assert "UTC · Chrome on" in mail.text
    assert link_of(mail)


async def test_an_urgent_notice_is_sent_at_once_and_takes_the_waiting_ones_along(
    front: Front, outbox: Outbox
) -> None:
    ada = await front.person()
    await outbox.happens("new_device", ada)
    assert await outbox.run() == []
    await outbox.happens("password_changed", ada)
    ((_, mail),) = await outbox.run()
    assert mail.subject == "Your password for Doorward was changed, and 1 more notice"
    assert "* New sign-in" in mail.text
    assert await outbox.run(86_400) == []


async def test_the_same_thing_several_times_is_told_once(front: Front, outbox: Outbox) -> None:
    ada = await front.person()
    for number in range(9):
        await outbox.happens("new_device", ada, origin=f"198.51.100.{number}")
        front.clock.time += 1
    ((_, mail),) = await outbox.run(30)
    assert mail.subject == "New sign-in to your account at Doorward"
    assert mail.text.count("Somebody signed in") == 1
    assert "And 6 more times." in mail.text
    for number in (8, 7, 6):
        assert f"(198.51.100.{number})" in mail.text
    assert "(198.51.100.5)" not in mail.text


@pytest.mark.requirement(93, 99)
async def test_hundreds_of_notices_delay_no_other_kind_and_make_few_mails(
    front: Front, outbox: Outbox
) -> None:
    ada = await front.person()
    for number in range(300):
        await outbox.happens("api_key_created", ada, key=f"Key {number}", api="Orders")
    ((_, flood),) = await outbox.run(30)
    assert "Your activity shows all of it." in flood.text
    mails = 1
    for number in range(120):
        await outbox.happens("api_key_created", ada, key=f"Later {number}", api="Orders")
        mails += len(await outbox.run(60))
    assert mails < 16
    await outbox.happens("password_changed", ada)
    ((_, told),) = await outbox.run()
    assert told.subject.startswith("Your password for Doorward was changed, and")
    await outbox.happens("passkey_added", ada, name="Thief")
    ((_, later),) = await outbox.run(30)
    assert "“Thief”" in later.text


@pytest.mark.requirement(99)
async def test_the_important_one_stands_first_among_hundreds(front: Front, outbox: Outbox) -> None:
    ada = await front.person()
    await outbox.happens("recovery_code_used", ada, left=7)
    for number in range(200):
        await outbox.happens("api_key_created", ada, key=f"Key {number}", api="Orders")
    ((_, mail),) = await outbox.run()
    assert mail.subject.startswith("A recovery code of your account at Doorward was used")
    assert mail.text.index("* A recovery code") < mail.text.index("* A new API key")
    assert await outbox.run(3600 * 3) == []


async def test_each_recipient_gets_a_mail_of_its_own(front: Front, outbox: Outbox) -> None:
    """After a change of address the old one gets its notices, and the new one its own."""
    ada = await front.person()
    await outbox.happens("address_changed", ada, address="new@example.com")
    await outbox.happens("address_is_yours", ada, to="new@example.com")
    ((to, _),) = await outbox.run()
    assert to == ada.email
    ((other, mail),) = await outbox.run(30)
    assert other == "new@example.com"
    assert "From now on you sign in with this address" in mail.text


async def test_two_workers_send_one_mail(front: Front, outbox: Outbox) -> None:
    ada = await front.person()
    for number in range(12):
        await outbox.happens("phone_added", ada, number=str(number))
    front.clock.time += 30
    for _ in range(4):
        await asyncio.gather(*(outbox.worker().send_due() for _ in range(4)))
    assert len(outbox.sent) == 1


async def test_a_failed_try_is_repeated_with_all_of_them(front: Front, outbox: Outbox) -> None:
    ada = await front.person()
    outbox.error = MailDelayed("no server")
    await outbox.happens("passkey_added", ada, name="One")
    await outbox.happens("passkey_added", ada, name="Two")
    assert await outbox.run(30) == []
    outbox.error = None
    ((_, mail),) = await outbox.run(5)
    assert "“One”" in mail.text
    assert "“Two”" in mail.text
    assert await outbox.run(86_400) == []


async def test_a_worker_that_died_leaves_nothing_behind(front: Front, outbox: Outbox) -> None:
    ada = await front.person()
    await outbox.happens("passkey_added", ada, name="One")
    await outbox.happens("passkey_added", ada, name="Two")
    front.clock.time += 30
    row, _ = await front.store.messages.due_mail(front.now)
    taken = structs.replace(row, tries=1, next_try_at=front.now + CLAIM)
    assert await front.services.get(notice_bundles).claim(row, taken, front.now) is not None
    assert await outbox.run(119) == []
    ((_, mail),) = await outbox.run(1)
    assert "“One”" in mail.text
    assert "“Two”" in mail.text
    assert outbox.ids[0].endswith(".2"), "another Message-ID: the mail may hold more than the one before"


async def test_kinds_that_the_settings_leave_out_are_not_mailed(own_database: str | None) -> None:
    policy = NoticePolicy(without=("new_device",))
    async with front_channel(database=own_database or ":memory:", notices=policy) as front:
        ada, outbox = await front.person(), Outbox(front)
        assert await outbox.happens("new_device", ada) is None
        assert await outbox.happens("password_changed", ada) is not None
        assert len(await outbox.run(30)) == 1
