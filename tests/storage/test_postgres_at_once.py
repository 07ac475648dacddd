"""Guards on PostgreSQL under forced overlap of two commits.

Another connection holds row locks and releases them on command, so that a race of microseconds becomes deterministic.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from doorward.core.errors import StoreUnavailable
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store
from tests.storage.samples import DAY, NOW, account, code, event, grant, refresh, revocation, rotated, session
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio
KINDS = ("postgres",)


@pytest.fixture
async def store(store: Store) -> Store:
    """With an account that has a refresh token."""
    await store.commit(store.accounts.insert(account()))
    await store.commit(store.grants.insert(grant()), store.grants.insert_refresh(refresh()))
    return store


@pytest.fixture
async def other(postgres_url: str) -> AsyncIterator[Any]:
    """A connection of another client."""
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


async def waits(task: asyncio.Task[Any], other: Any) -> None:
    """Wait until the commit of `task` waits for a lock that `other` holds."""
    async with asyncio.timeout(PATIENCE):
        while not await other.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            assert not task.done()
            await asyncio.sleep(0.01)


async def test_a_refresh_concurrent_with_the_end_of_its_grant_is_ordered_before_it(
    store: Store, other: Any
) -> None:
    """The end is not committed when the rotation checks: the rotation was first. The new token becomes invalid with the
    grant."""
    await other.execute("BEGIN")
    await other.execute("UPDATE grants SET ended_at = 1, end_reason = 'signed_out' WHERE id = 'grt_one'")
    following = rotated(refresh(), "x")
    # a rotation takes no lock on the grant, and so does not wait for a concurrent sign-out
    assert await store.commit(store.grants.spend_refresh(refresh(), following, account()))
    await other.execute("COMMIT")
    assert not await store.commit(store.grants.spend_refresh(following, rotated(following, "y"), account()))
    found = await store.grants.refresh("grt_one")
    assert found is not None
    assert found[1].ended_at == 1


async def test_a_refresh_after_the_end_of_its_grant_loses(store: Store) -> None:
    assert await store.commit(store.grants.end("grt_one", NOW, "signed_out"))
    assert not await store.commit(store.grants.spend_refresh(refresh(), rotated(refresh(), "x"), account()))


async def test_a_guard_is_evaluated_again_after_waiting_for_a_row_lock(store: Store, other: Any) -> None:
    await store.commit(store.grants.insert_code(code()))
    await other.execute("BEGIN")
    await other.execute("UPDATE authorization_codes SET redeemed_at = 1")
    late = asyncio.create_task(
        store.commit(
            store.grants.redeem_code(code().hash, NOW),
            store.grants.insert(grant("two")),
            store.audit.append(event()),
        )
    )
    await waits(late, other)
    await other.execute("COMMIT")
    assert not await late
    assert (await store.grants.get("grt_two"), list(await store.audit.page())) == (None, [])


async def test_a_commit_continues_after_waiting_for_an_unchanged_row(store: Store, other: Any) -> None:
    await other.execute("BEGIN")
    await other.execute("UPDATE refresh_tokens SET generation = 9")
    late = asyncio.create_task(
        store.commit(store.grants.spend_refresh(refresh(), rotated(refresh(), "x"), account()))
    )
    await waits(late, other)
    await other.execute("ROLLBACK")
    assert await late


async def test_a_sign_in_concurrent_with_a_password_change_does_not_complete(
    store: Store, other: Any
) -> None:
    await other.execute("BEGIN")
    await other.execute("UPDATE accounts SET password_hash = 'new' WHERE id = 'usr_ada'")
    late = asyncio.create_task(
        store.commit(store.sessions.insert(session()), store.accounts.replace(account(), old=account()))
    )
    await waits(late, other)
    await other.execute("COMMIT")
    assert not await late
    assert await store.sessions.get("ses_one") is None


async def test_a_session_created_during_account_deletion_is_refused(store: Store, other: Any) -> None:
    await other.execute("BEGIN")
    await other.execute("DELETE FROM accounts WHERE id = 'usr_ada'")
    late = asyncio.create_task(store.commit(store.sessions.insert(session()), store.audit.append(event())))
    await waits(late, other)
    await other.execute("COMMIT")
    # the write refers to a deleted row: it loses
    assert not await late
    assert await store.sessions.get("ses_one") is None
    assert list(await store.audit.page()) == []


async def test_revocation_numbers_become_visible_in_order(store: Store, other: Any) -> None:
    await other.execute("BEGIN")
    await other.execute("UPDATE counters SET value = value + 1 WHERE name = 'revocations'")
    await other.execute("INSERT INTO revocations VALUES (1, 'grant', 'first', 1, 4000000000, NULL)")
    late = asyncio.create_task(
        store.commit(store.revocations.insert(revocation("second", expires_at=NOW + DAY)))
    )
    await waits(late, other)
    assert await store.revocations.live(NOW) == (0, [])
    await other.execute("COMMIT")
    assert await late
    newest, entries = await store.revocations.live(NOW)
    assert (newest, [(one.seq, one.ref) for one in entries]) == (2, [(1, "first"), (2, "second")])


async def test_a_commit_is_retried_after_a_deadlock(store: Store, other: Any) -> None:
    """PostgreSQL ends the one that waits longer (40P01): our commit here, which is retried without an error."""
    await store.commit(store.grants.insert(grant("a")), store.grants.insert(grant("b")))
    await other.execute("BEGIN")
    await other.execute("UPDATE grants SET nonce = 'x' WHERE id = 'grt_b'")
    ours = asyncio.create_task(
        store.commit(
            store.grants.end("grt_a", NOW, "signed_out"),
            store.audit.append(event()),
            store.grants.end("grt_b", NOW, "signed_out"),
        )
    )
    # a session that looks for a deadlock ends itself: only ours does
    await other.execute("SET deadlock_timeout = '1min'")
    await waits(ours, other)
    # returns only once our commit has released the row
    await other.execute("UPDATE grants SET nonce = 'x' WHERE id = 'grt_a'")
    assert not ours.done()
    await other.execute("COMMIT")
    assert await ours
    assert [found and found.ended_at for found in [await store.grants.get(f"grt_{n}") for n in "ab"]] == [
        NOW,
        NOW,
    ]
    assert len(await store.audit.page()) == 1


async def test_a_commit_waits_for_a_locked_row_up_to_the_limit(postgres_url: str, other: Any) -> None:
    store = await open_store(
        postgres_url, postgres=PostgresOptions(pool_size=2, pool_wait=1, statement_timeout=1)
    )
    await store.commit(store.put_meta("a", "1"))
    await other.execute("BEGIN")
    await other.execute("UPDATE meta SET value = '2'")
    began = asyncio.get_running_loop().time()
    outcomes = await asyncio.gather(
        *(store.commit(store.put_meta("a", "3")) for _ in range(6)), return_exceptions=True
    )
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
    # with the earlier limits it took at least ten seconds
    assert asyncio.get_running_loop().time() - began < 8
    # reads continued, or were possible again at once
    assert await store.meta("a") == "1"
    await other.execute("COMMIT")
    assert await store.commit(store.put_meta("a", "3"))
    assert await store.meta("a") == "3"
    await store.close()


async def test_a_read_only_server_is_abandoned_without_losing_writes(
    store: Store, postgres_url: str, other: Any
) -> None:
    """As after a failover: the connections lead to a server that has become a standby (25006)."""
    name = postgres_url.rpartition("/")[2]
    await store.commit(store.put_meta("a", "1"))
    await other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
        name,
    )
    with pytest.raises(StoreUnavailable):
        await store.commit(store.put_meta("a", "2"))
    await other.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                assert await store.commit(store.put_meta("a", "3"))
                break
            except StoreUnavailable:
                await asyncio.sleep(0.05)
    assert await store.meta("a") == "3"


async def test_a_connection_that_became_read_only_is_replaced_at_once(
    store: Store, postgres_url: str
) -> None:
    single = await open_store(postgres_url, postgres=PostgresOptions(pool_size=1))
    await single.commit(single.put_meta("a", "1"))
    pool = next(iter(single._db._pools.values()))  # pyright: ignore[reportAttributeAccessIssue]
    held = pool.at_once()
    assert held is not None
    await held.connection.execute("SET default_transaction_read_only = on")
    pool.give(held)
    # 25006 means that nothing was done: retry, on another server
    assert await single.commit(single.put_meta("a", "2"))
    assert await store.meta("a") == "2"
    await single.close()
