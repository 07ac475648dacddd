"""Guesses of a mailed code are counted, a ticket is used once, and a mail is taken by one worker."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from doorward.core.model.message import OutgoingMail, UndeliveredMail
from doorward.storage.sql.store import Store
from tests.storage.samples import NOW, mail, notice, sha, ticket

pytestmark = pytest.mark.anyio


async def test_a_ticket_is_found_by_id_and_by_link(store: Store) -> None:
    reset = ticket("reset", kind="reset", account_id=None, payload={}, sign_in_id=None)
    await store.commit(store.messages.insert_ticket(ticket()), store.messages.insert_ticket(reset))
    assert await store.messages.ticket("tkt_one") == ticket()
    assert await store.messages.ticket_by_link(sha("link reset")) == reset
    assert await store.messages.ticket("tkt_none") is None
    assert await store.messages.ticket_by_link(sha("guess")) is None


@pytest.mark.parametrize("moved", [{"tries": 1}, {"proven_at": NOW}, {"used_at": NOW}])
async def test_a_ticket_changes_state_once(store: Store, moved: dict[str, int]) -> None:
    await store.commit(store.messages.insert_ticket(ticket()))
    new = replace(ticket(), **moved, email="ada@new.example", payload={"a": 1})
    assert await store.commit(store.messages.replace_ticket(ticket(), new))
    assert await store.messages.ticket("tkt_one") == new
    assert not await store.commit(store.messages.replace_ticket(ticket(), replace(ticket(), used_at=NOW + 9)))
    assert await store.messages.ticket("tkt_one") == new
    assert await store.commit(store.messages.replace_ticket(new, replace(new, tries=5, used_at=NOW + 9)))


@pytest.mark.requirement(94)
async def test_the_tickets_of_an_account_are_detached(store: Store) -> None:
    hers, other = ticket("ada", account_id="usr_ada"), ticket("bob", account_id="usr_bob")
    await store.commit(store.messages.insert_ticket(hers), store.messages.insert_ticket(other))
    assert await store.commit(store.messages.detach_tickets("usr_ada"))
    assert await store.messages.ticket(hers.id) == replace(hers, account_id=None)
    assert await store.messages.ticket(other.id) == other
    # a caller that read it before cannot restore it
    assert not await store.commit(store.messages.replace_ticket(hers, replace(hers, tries=1)))


@pytest.mark.requirement(82)
async def test_every_concurrent_guess_is_counted(store: Store, other: Store) -> None:
    await store.commit(store.messages.insert_ticket(ticket()))

    async def guess(one: Store) -> None:
        while True:
            found = await one.messages.ticket("tkt_one")
            assert found is not None
            if await one.commit(one.messages.replace_ticket(found, replace(found, tries=found.tries + 1))):
                return

    await asyncio.gather(*(guess(one) for one in (store, other) for _ in range(15)))
    found = await store.messages.ticket("tkt_one")
    assert found is not None
    assert found.tries == 30


async def test_due_mail_excludes_sent_mail_and_mail_given_up(store: Store) -> None:
    rows = [
        mail("late", next_try_at=NOW - 1),
        mail("later", next_try_at=NOW + 1),
        mail("sent", sent_at=NOW),
        mail("failed", failed_at=NOW),
        mail("due", created_at=NOW + 5),
    ]
    await store.commit(*(store.messages.insert_mail(one) for one in rows))
    assert list(await store.messages.due_mail(NOW)) == [rows[0], rows[4]]
    assert list(await store.messages.due_mail(NOW, limit=1)) == [rows[0]]
    recent = await store.messages.recent_mail(limit=4)
    assert recent[0] == rows[4]
    assert len(recent) == 4


async def test_a_mail_is_taken_by_one_worker(store: Store, other: Store) -> None:
    await store.commit(store.messages.insert_mail(mail()))
    taken = replace(mail(), next_try_at=NOW + 60, tries=1)
    takes = [one.commit(one.messages.replace_mail(mail(), taken)) for one in (store, other) for _ in range(8)]
    assert sorted(await asyncio.gather(*takes)) == [False] * 15 + [True]
    sent = replace(taken, sent_at=NOW + 2)
    assert await store.commit(store.messages.replace_mail(taken, sent))
    assert list(await store.messages.recent_mail()) == [sent]
    assert list(await store.messages.due_mail(NOW + 99)) == []
    assert not await store.commit(store.messages.replace_mail(sent, replace(sent, sent_at=None)))


async def test_a_logout_notice_is_taken_by_one_worker(store: Store) -> None:
    rows = [notice("one"), notice("two", next_try_at=NOW - 1), notice("later", next_try_at=NOW + 1)]
    await store.commit(*(store.messages.insert_logout(one) for one in rows))
    assert list(await store.messages.due_logouts(NOW)) == [rows[1], rows[0]]
    assert list(await store.messages.due_logouts(NOW, limit=1)) == [rows[1]]
    taken = replace(rows[0], next_try_at=NOW + 60, tries=1)
    assert await store.commit(store.messages.replace_logout(rows[0], taken))
    assert not await store.commit(store.messages.replace_logout(rows[0], taken))
    assert await store.commit(
        store.messages.replace_logout(taken, replace(taken, failed_at=NOW, problem="it answered 500"))
    )
    assert [one.id for one in await store.messages.due_logouts(NOW + 99)] == ["lgo_two", "lgo_later"]


async def test_undelivered_notices_are_counted_for_each_app(store: Store) -> None:
    assert await store.messages.undelivered() == []
    named = [notice(str(n), client_id=app) for n, app in enumerate("aabbc")]
    await store.commit(*(store.messages.insert_logout(one) for one in named))
    ends: list[dict[str, Any]] = [
        {"problem": "first", "tries": 1},
        {"problem": "second", "tries": 9, "failed_at": NOW},
        {"problem": "third", "tries": 1},
        # delivered in the end
        {"problem": "fourth", "tries": 2, "sent_at": NOW},
        {"tries": 1},
    ]
    for one, end in zip(named, ends, strict=True):
        assert await store.commit(store.messages.replace_logout(one, replace(one, **end)))
    found = await store.messages.undelivered()
    assert [(u.client_id, u.waiting, u.failed, u.problem) for u in found] == [
        ("a", 1, 1, "second"),
        ("b", 1, 0, "third"),
    ]


async def test_one_mail_is_found_by_its_id(store: Store) -> None:
    one, other = mail("one"), mail("other")
    await store.commit(store.messages.insert_mail(one), store.messages.insert_mail(other))
    assert await store.messages.mail(one.id) == one
    tried = replace(one, tries=2, failed_at=NOW)
    assert await store.commit(store.messages.replace_mail(one, tried))
    assert await store.messages.mail(one.id) == tried
    assert await store.messages.mail("mai_nothing") is None


async def test_undelivered_mail_is_counted(store: Store) -> None:
    assert await store.messages.undelivered_mail() is None
    fresh, tried, given_up, sent = (mail(name) for name in ("fresh", "tried", "given-up", "sent"))
    await store.commit(*(store.messages.insert_mail(one) for one in (fresh, tried, given_up, sent)))
    assert await store.messages.undelivered_mail() is None
    ends: list[tuple[OutgoingMail, dict[str, int]]] = [
        (tried, {"tries": 1}),
        (given_up, {"tries": 9, "failed_at": NOW}),
        (sent, {"tries": 2, "sent_at": NOW}),
    ]
    for one, end in ends:
        assert await store.commit(store.messages.replace_mail(one, replace(one, **end)))
    assert await store.messages.undelivered_mail() == UndeliveredMail(waiting=1, failed=1, last_at=NOW)
