"""Round trips to PostgreSQL for each request, counted on the wire once the statements are prepared."""

from __future__ import annotations

import asyncio

import pytest

from doorward.core.errors import StoreUnavailable
from doorward.core.model.bucket import Bucket
from doorward.storage.postgres.commit import Committer
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store, Write
from tests.storage.samples import (
    DAY,
    NOW,
    account,
    code,
    event,
    grant,
    refresh,
    revocation,
    rotated,
    running_tries,
    session,
    sha,
    sign_in,
)
from tests.storage.wire import Relay, relay

pytestmark = pytest.mark.anyio


async def trips(wire: Relay, store: Store, *writes: Write) -> int:
    before = wire.trips
    assert await store.commit(*writes)
    return wire.trips - before


async def prepared(store: Store) -> None:
    await store.commit(
        store.accounts.insert(account()), store.grants.insert(grant()), store.grants.insert_refresh(refresh())
    )
    await store.commit(store.sessions.insert(session()), store.sign_ins.insert(sign_in()))
    for name in ("a", "b", "c"):
        await store.commit(store.grants.insert_code(code(name)), store.grants.insert(grant(name)))


async def test_a_refresh_is_one_read_and_one_statement(postgres_url: str) -> None:
    async with relay(postgres_url) as wire:
        store = await open_store(wire.url, postgres=PostgresOptions(pool_size=1))
        await prepared(store)
        token = refresh()
        seen: list[int] = []
        for number in range(3):
            before = wire.trips
            assert await store.grants.refresh_of_person("grt_one") is not None
            assert wire.trips - before == 1 or number == 0
            following = rotated(token, f"{number}")
            seen.append(await trips(wire, store, store.grants.spend_refresh(token, following, account())))
            token = following
        assert seen[1:] == [1, 1]
        await store.close()


async def test_redeeming_a_code_is_one_statement_with_refresh_token_and_audit_line(
    postgres_url: str,
) -> None:
    async with relay(postgres_url) as wire:
        store = await open_store(wire.url, postgres=PostgresOptions(pool_size=1))
        await prepared(store)
        seen = [
            await trips(
                wire,
                store,
                store.grants.redeem_code(code(name).hash, NOW),
                store.grants.insert_refresh(refresh(name, grant_id=f"grt_{name}")),
                store.audit.append(event(number)),
            )
            for number, name in enumerate(("a", "b", "c"))
        ]
        assert seen[1:] == [1, 1]
        # a late caller learns the result in as many
        before = wire.trips
        assert not await store.commit(
            store.grants.redeem_code(code("a").hash, NOW),
            store.grants.insert_refresh(refresh("a", grant_id="grt_a")),
            store.audit.append(event(9)),
        )
        assert wire.trips - before == 1
        await store.close()


async def test_touching_a_session_is_one_statement(postgres_url: str) -> None:
    async with relay(postgres_url) as wire:
        store = await open_store(wire.url, postgres=PostgresOptions(pool_size=1))
        await prepared(store)
        seen = [await trips(wire, store, store.sessions.touch("ses_one", NOW + n)) for n in range(1, 4)]
        assert seen[1:] == [1, 1]
        await store.close()


async def test_the_end_of_a_sign_in_is_one_statement(postgres_url: str) -> None:
    async with relay(postgres_url) as wire:
        store = await open_store(wire.url, postgres=PostgresOptions(pool_size=1))
        await prepared(store)
        old = sign_in()
        seen: list[int] = []
        for number in range(3):
            new = sign_in(return_to=f"/{number}")
            seen.append(
                await trips(
                    wire,
                    store,
                    store.sign_ins.replace(old, new),
                    store.sessions.insert(session(f"s{number}")),
                    store.accounts.replace(account(), old=account()),
                    store.grants.insert(grant(f"g{number}")),
                    store.grants.insert_code(code(f"c{number}")),
                    store.audit.append(event(2 * number)),
                    store.audit.append(event(2 * number + 1)),
                )
            )
            old = new
        assert seen[1:] == [1, 1]
        await store.close()


async def test_a_new_device_makes_the_end_of_a_sign_in_a_transaction_of_two_statements(
    postgres_url: str,
) -> None:
    async with relay(postgres_url) as wire:
        store = await open_store(wire.url, postgres=PostgresOptions(pool_size=1))
        await prepared(store)
        seen = [
            await trips(
                wire,
                store,
                store.sessions.insert(session(f"s{number}")),
                store.grants.insert(grant(f"g{number}")),
                store.audit.append(event(number)),
                store.sessions.remember_device(sha(f"{number}"), "usr_ada", NOW + number),
            )
            for number in range(3)
        ]
        # begin, all joined statements, the surplus devices, commit
        assert seen[1:] == [4, 4]
        await store.close()


async def test_an_account_and_its_session_are_one_statement(postgres_url: str) -> None:
    async with relay(postgres_url) as wire:
        store = await open_store(wire.url, postgres=PostgresOptions(pool_size=1))
        seen = [
            await trips(
                wire,
                store,
                store.accounts.insert(account(name)),
                store.sessions.insert(session(name, account_id=f"usr_{name}")),
            )
            for name in ("ada", "bob", "eve")
        ]
        assert seen[1:] == [1, 1]
        # the address is taken: neither account nor session exists
        assert not await store.commit(
            store.accounts.insert(account("mia", email=account("ada").email)),
            store.sessions.insert(session("mia", account_id="usr_mia")),
        )
        assert (await store.accounts.get("usr_mia"), await store.sessions.get("ses_mia")) == (None, None)
        await store.close()


async def test_ending_all_sessions_of_an_account_is_a_transaction(postgres_url: str) -> None:
    async with relay(postgres_url) as wire:
        store = await open_store(wire.url, postgres=PostgresOptions(pool_size=1))
        await prepared(store)
        seen = [
            await trips(
                wire,
                store,
                store.sessions.end_of_account("usr_ada", NOW + number, "signed_out", NOW + DAY, keep=None),
            )
            for number in range(3)
        ]
        # begin, the number, the sessions, their entries, the last number, commit
        assert seen[1:] == [6, 6]
        await store.close()


async def test_counting_an_attempt_in_several_buckets_is_one_statement(postgres_url: str) -> None:
    async with relay(postgres_url) as wire:
        store = await open_store(wire.url, postgres=PostgresOptions(pool_size=1))
        buckets = [Bucket(name, 2, 900) for name in ("address", "person", "pair")]
        seen = [
            await trips(wire, store, *(store.attempts.take(one, NOW) for one in buckets)) for _ in range(2)
        ]
        assert seen[1:] == [1]
        before = wire.trips
        assert not await store.commit(*(store.attempts.take(one, NOW) for one in buckets))
        assert wire.trips - before == 1
        assert [await running_tries(store, one.key, NOW) for one in buckets] == [(2, NOW + 900)] * 3
        await store.close()


async def test_one_key_twice_in_a_commit_counts_twice(postgres_url: str) -> None:
    store = await open_store(postgres_url)
    assert await store.commit(*(store.attempts.add("one", NOW, 9) for _ in range(3)))
    assert await running_tries(store, "one", NOW) == (3, NOW + 9)
    assert await store.commit(store.put_meta("a", "1"), store.put_meta("a", "2"))
    assert await store.meta("a") == "2"
    await store.close()


async def test_a_revocation_and_the_end_of_its_grant_are_one_statement(postgres_url: str) -> None:
    async with relay(postgres_url) as wire:
        store = await open_store(wire.url, postgres=PostgresOptions(pool_size=1))
        await prepared(store)
        seen = [
            await trips(
                wire,
                store,
                store.grants.end(f"grt_{name}", NOW, "revoked"),
                store.revocations.insert(revocation(f"grt_{name}", expires_at=NOW + DAY)),
                store.audit.append(event(number)),
            )
            for number, name in enumerate("abc")
        ]
        assert seen[1:] == [1, 1]
        newest, entries = await store.revocations.live(NOW)
        assert (newest, [one.seq for one in entries]) == (3, [1, 2, 3])
        await store.close()


async def test_dependent_statements_are_a_transaction(postgres_url: str) -> None:
    async with relay(postgres_url) as wire:
        store = await open_store(wire.url, postgres=PostgresOptions(pool_size=1))
        seen = [
            await trips(
                wire,
                store,
                *(store.revocations.insert(revocation(f"g{n} {m}", expires_at=NOW + DAY)) for m in range(2)),
            )
            for n in range(3)
        ]
        # begin, one number, the next number, commit
        assert seen[1:] == [4, 4]
        newest, entries = await store.revocations.live(NOW)
        assert (newest, [one.seq for one in entries]) == (6, [1, 2, 3, 4, 5, 6])
        await store.close()


async def test_the_same_commit_is_a_transaction_on_an_engine_without_joining(postgres_url: str) -> None:
    async with relay(postgres_url) as wire:
        store = await open_store(wire.url, postgres=PostgresOptions(pool_size=1))
        await prepared(store)
        store._db._committer = Committer(join=False)  # pyright: ignore[reportAttributeAccessIssue]
        seen = [
            await trips(
                wire, store, store.grants.redeem_code(code(name).hash, NOW), store.audit.append(event(number))
            )
            for number, name in enumerate("abc")
        ]
        # BEGIN, the code, the line, its personal fields, COMMIT
        assert seen[1:] == [5, 5]
        assert not await store.commit(
            store.audit.append(event(9)), store.grants.redeem_code(code("a").hash, NOW)
        )
        assert len(await store.audit.page()) == 3
        await store.close()


async def test_behind_a_pooler_every_statement_is_self_contained(postgres_url: str) -> None:
    """Parsed, bound and run before the server connection is released: nothing is left on it for later."""
    async with relay(postgres_url) as wire:
        options = PostgresOptions(pool_size=1, prepared_statements=False)
        store = await open_store(wire.url, postgres=options)
        await prepared(store)
        for number in range(3):
            assert await trips(wire, store, store.sessions.touch("ses_one", NOW + 1 + number)) <= 3
        direct = await open_store(postgres_url)
        assert await store.meta("none") is None
        await direct.close()
        await store.close()


async def test_a_commit_without_an_answer_is_unavailable_and_the_next_try_finds_its_outcome(
    postgres_url: str,
) -> None:
    async with relay(postgres_url) as wire:
        store = await open_store(wire.url, postgres=PostgresOptions(pool_size=1))
        await prepared(store)
        # the statement is prepared on this connection: the next message is the rotation itself
        token = rotated(refresh(), "w")
        assert await store.commit(store.grants.spend_refresh(refresh(), token, account()))
        wire.deaf = True
        following = rotated(token, "x")
        with pytest.raises(StoreUnavailable):
            await store.commit(store.grants.spend_refresh(token, following, account()))
        wire.deaf = False
        # the server had done it, and it was not done twice
        found = await store.grants.refresh("grt_one")
        assert found is not None
        assert found[0].hash == following.hash
        assert found[0].generation == following.generation
        await store.close()


async def test_a_read_on_a_broken_connection_is_retried(postgres_url: str) -> None:
    async with relay(postgres_url) as wire:
        store = await open_store(wire.url)
        await prepared(store)
        for _ in range(5):
            assert await asyncio.gather(*(store.grants.get("grt_one") for _ in range(8)))
            wire.cut()
            assert (await store.grants.get("grt_one")) == grant()
            await asyncio.sleep(0.01)
        await store.close()
