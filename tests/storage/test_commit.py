"""Commits are all or nothing, even when they share a transaction on disk."""

from __future__ import annotations

import asyncio

import pytest

from doorward.core.errors import StoreConflict, StoreUnavailable
from doorward.storage.sql.store import Store, Write
from tests.storage.samples import (
    DAY,
    NOW,
    account,
    code,
    event,
    grant,
    mail,
    refresh,
    running_tries,
    session,
    sha,
    sign_in,
    ticket,
)
from tests.storage.stores import Opener
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio


async def test_a_meta_value_is_stored_and_replaced(store: Store, other: Store) -> None:
    assert await store.meta("issuer") is None
    assert await store.commit(store.put_meta("issuer", "https://a.example"))
    assert await store.commit(store.put_meta("issuer", "https://b.example"))
    assert await other.meta("issuer") == "https://b.example"


async def test_an_empty_commit_succeeds(store: Store) -> None:
    assert await store.commit()


async def test_a_read_after_a_commit_sees_its_changes(store: Store, other: Store) -> None:
    for n in range(50):
        await store.commit(store.put_meta("n", str(n)))
        assert await store.meta("n") == str(n)
        assert await other.meta("n") == str(n)


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_lost_guard_at_any_position_undoes_the_commit(store: Store, place: int) -> None:
    writes: list[Write] = [store.put_meta("a", "1"), store.put_meta("b", "1")]
    writes.insert(place, store.grants.redeem_code(sha("none"), NOW))
    assert not await store.commit(*writes)
    assert (await store.meta("a"), await store.meta("b")) == (None, None)


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_refused_change_at_any_position_undoes_the_commit(store: Store, place: int) -> None:
    await store.commit(store.audit.append(event()))
    writes: list[Write] = [store.put_meta("a", "1"), store.put_meta("b", "1")]
    writes.insert(place, store.audit.append(event()))
    with pytest.raises(StoreConflict):
        await store.commit(*writes)
    assert (await store.meta("a"), await store.meta("b")) == (None, None)


async def test_commits_in_one_batch_have_independent_outcomes(store: Store) -> None:
    """Many concurrent commits share transactions: some lose, some are refused, some cannot be stored."""
    await store.commit(store.audit.append(event()), store.grants.insert_code(code()))

    async def one(n: int) -> str:
        mark = store.put_meta(f"m{n}", "set")
        try:
            match n % 6:
                case 0:
                    done = await store.commit(mark)
                case 1:
                    done = await store.commit(mark, store.audit.append(event()))
                case 2:
                    done = await store.commit(mark, store.grants.redeem_code(sha("none"), NOW))
                case 3:
                    done = await store.commit(store.grants.redeem_code(sha("none"), NOW), mark)
                case 4:
                    done = await store.commit(mark, store.sessions.touch("ses_x", 2**70))
                case _:
                    done = await store.commit(mark, store.sessions.insert(session()))
        except StoreConflict:
            return "conflict"
        except OverflowError:
            return "overflow"
        return str(done)

    outcomes = await asyncio.gather(*(one(n) for n in range(600)))
    expected = ["True", "conflict", "False", "False", "overflow", "False"]
    assert outcomes == [expected[n % 6] for n in range(600)]
    for n in range(600):
        assert (await store.meta(f"m{n}") == "set") == (n % 6 == 0)


async def test_cancelling_the_caller_does_not_stop_its_commit(store: Store) -> None:
    task = asyncio.create_task(store.commit(store.put_meta("left", "yes")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # one connection may be slower than another
    async with asyncio.timeout(PATIENCE):
        while await store.meta("left") != "yes":
            await asyncio.sleep(0.01)


async def test_closing_finishes_accepted_commits(opener: Opener) -> None:
    store = await opener()
    tasks = [asyncio.create_task(store.commit(store.put_meta(f"k{n}", "v"))) for n in range(700)]
    await asyncio.sleep(0)
    await store.close()
    assert all(await asyncio.gather(*tasks))
    again = await opener()
    assert [await again.meta(f"k{n}") for n in range(700)] == ["v"] * 700
    await again.close()


async def test_a_closed_store_raises_store_unavailable(opener: Opener) -> None:
    store = await opener()
    assert await store.ready()
    await store.close()
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.commit(store.put_meta("a", "b"))
    with pytest.raises(StoreUnavailable):
        await store.meta("a")
    assert not await store.ready()


async def test_a_lookup_with_unstorable_text_finds_nothing(store: Store) -> None:
    assert await store.accounts.by_email("\ud800@example.org") is None
    assert list(await store.accounts.find("\udfff")) == []
    assert list(await store.audit.page(limit=2**70)) == []


async def test_values_with_a_zero_byte_are_found_again(store: Store) -> None:
    """Not every engine stores it unchanged; but rows counted, claimed or written under such a text are found under it."""
    text = "a\0b"
    assert await store.commit(store.attempts.add(text, NOW, 9), store.audit.append(event()))
    assert await store.commit(store.attempts.add(text, NOW, 9))
    assert await running_tries(store, text, NOW) == (2, NOW + 9)
    assert await running_tries(store, "ab", NOW) == (0, NOW)
    assert await store.commit(store.replay_cache.claim("jti", text, NOW + 9))
    assert not await store.commit(store.replay_cache.claim("jti", text, NOW + 9))
    assert await store.commit(store.accounts.insert(account(name=text, email=f"{text}@example.org")))
    found = await store.accounts.by_email(f"{text}@example.org")
    assert found is not None
    assert await store.commit(store.accounts.replace(found, old=found))
    assert len(await store.audit.page()) == 1


async def test_a_sweep_removes_expired_rows_in_small_batches(store: Store) -> None:
    long_ago = NOW - 400 * DAY
    await store.commit(
        store.accounts.insert(account()),
        store.audit.append(event(at=long_ago)),
        store.sign_ins.insert(sign_in("old", expires_at=NOW - 2 * DAY)),
        store.sign_ins.insert(sign_in("over night", expires_at=NOW - DAY // 2)),
        store.sign_ins.insert(sign_in("of an app", handle_hash=sha("handle"), expires_at=NOW - 1)),
        store.sign_ins.insert(sign_in("new")),
        store.messages.insert_ticket(ticket("old", expires_at=NOW - 1)),
        store.messages.insert_ticket(ticket("new")),
        store.attempts.add("old", NOW - 900, 900),
        store.attempts.add("new", NOW, 900),
        store.replay_cache.claim("jti", "old", NOW - 601),
        store.replay_cache.claim("jti", "new", NOW + 1),
        store.grants.insert(grant("old", expires_at=NOW - 2 * DAY)),
        store.grants.insert(grant("new", expires_at=NOW - 1)),
        store.grants.insert_code(code("old", expires_at=NOW - 2 * DAY)),
        store.grants.insert_code(code("new", expires_at=NOW - 1)),
        store.grants.insert_refresh(refresh("old", expires_at=NOW - 2 * DAY)),
        store.grants.insert_refresh(refresh("new", expires_at=NOW - 1)),
        store.sessions.insert(session("old", expires_at=NOW - 2 * DAY)),
        store.sessions.insert(session("new", expires_at=NOW - 1)),
        store.sessions.remember_device(sha("old"), "usr_ada", long_ago),
        store.sessions.remember_device(sha("new"), "usr_ada", NOW - 300 * DAY),
        store.messages.insert_mail(mail("old", created_at=NOW - 2 * DAY, sent_at=NOW - 2 * DAY)),
        store.messages.insert_mail(mail("waiting", created_at=NOW - 2 * DAY)),
        store.messages.insert_mail(mail("older", created_at=NOW - 31 * DAY, failed_at=NOW)),
    )
    went = []
    while gone := await store.sweep(NOW, limit=2):
        assert gone <= 2
        went.append(gone)
    assert sum(went) == 13
    assert await store.sign_ins.get("sin_old") is None
    assert await store.sign_ins.get("sin_new") is not None
    assert await store.sign_ins.get("sin_over night") is None
    assert await store.sign_ins.get("sin_of an app") is None
    assert await store.messages.ticket("tkt_old") is None
    assert await store.messages.ticket("tkt_new") is not None
    assert await running_tries(store, "new", NOW) == (1, NOW + 900)
    assert not await store.commit(store.replay_cache.claim("jti", "new", NOW + 1))
    assert await store.commit(store.replay_cache.claim("jti", "old", NOW + 1))
    assert (await store.grants.get("grt_old"), await store.grants.get("grt_new") is None) == (None, False)
    assert await store.grants.code(code("old").hash) is None
    assert await store.grants.code(code("new").hash) is not None
    assert await store.grants.refresh("grt_old") is None
    assert await store.grants.refresh("grt_new") is not None
    assert (await store.sessions.get("ses_old"), await store.sessions.get("ses_new") is None) == (None, False)
    assert await store.sessions.known_device((sha("old"),), "usr_ada") is None
    assert await store.sessions.known_device((sha("new"),), "usr_ada")
    assert [one.id for one in await store.messages.recent_mail()] == ["mai_waiting"]
    assert len(await store.audit.page()) == 1
