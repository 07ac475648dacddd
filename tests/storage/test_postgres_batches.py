"""Rotations that wait together on PostgreSQL: one statement, and for each of them the outcome that it would have alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from doorward.core.errors import StoreUnavailable
from doorward.core.model.account import Account
from doorward.core.model.grant import RefreshToken
from doorward.storage.postgres.batches import APART, LANES, MOST
from doorward.storage.postgres.database import PostgresDatabase
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.postgres.text import for_many
from doorward.storage.sql.grants import _SPEND
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store
from tests.storage.samples import NOW, account, event, grant, refresh, rotated
from tests.storage.wire import Relay, relay
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(18)]
MANY = 16


def name(number: int) -> str:
    return f"g{number:02}"


async def prepared(store: Store) -> None:
    await store.commit(
        store.accounts.insert(account()),
        *(store.grants.insert(grant(name(number))) for number in range(MANY)),
        *(store.grants.insert_refresh(refresh(name(number))) for number in range(MANY)),
    )


@pytest.fixture
async def store(postgres_url: str) -> AsyncGenerator[Store]:
    """With many grants of one person."""
    opened = await open_store(postgres_url)
    await prepared(opened)
    yield opened
    await opened.close()


@pytest.fixture
async def other(postgres_url: str) -> AsyncGenerator[Any]:
    """Another connection, with a transaction of its own."""
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


def rotation(store: Store, number: int, *, person: Account | None = None, wrong: bool = False) -> Any:
    old = refresh(name(number))
    if wrong:
        old = replace(old, hash=b"x" * 32)
    new = rotated(old, f"{number} next")
    return store.commit(store.grants.spend_refresh(old, new, person or account()))


async def newest(store: Store) -> list[RefreshToken]:
    found = [await store.grants.refresh(f"grt_{name(number)}") for number in range(MANY)]
    return [one[0] for one in found if one is not None]


def generations(tokens: Sequence[RefreshToken]) -> list[int]:
    first = refresh().generation
    return [token.generation - first for token in tokens]


async def warm(wire: Relay, store: Store) -> None:
    """Open the connections, and prepare both forms of the statement on them."""
    for _ in range(3):
        await asyncio.gather(*(rotation(store, number, wrong=True) for number in range(MANY)))
        await rotation(store, 0, wrong=True)
    wire.trips = 0


async def test_many_rotations_take_few_round_trips(postgres_url: str) -> None:
    async with relay(postgres_url) as wire:
        store = await open_store(wire.url, postgres=PostgresOptions(pool_size=1))
        await prepared(store)
        await warm(wire, store)
        assert all(await asyncio.gather(*(rotation(store, number) for number in range(MANY))))
        assert wire.trips == 1
        assert generations(await newest(store)) == [1] * MANY
        await store.close()


async def test_each_rotation_has_its_own_outcome(store: Store) -> None:
    """And what is written is written for its own row."""
    await store.commit(store.grants.end("grt_g03", NOW, "signed_out"))
    stranger = replace(account(), role_names=())
    asked = [
        rotation(store, number, person=stranger if number == 5 else None, wrong=number == 9)
        for number in reversed(range(MANY))
    ]
    won = list(reversed(await asyncio.gather(*asked)))
    lost = {3, 5, 9}
    assert won == [number not in lost for number in range(MANY)]
    tokens = await newest(store)
    assert generations(tokens) == [int(number not in lost) for number in range(MANY)]
    for number, token in enumerate(tokens):
        if number not in lost:
            assert token == rotated(refresh(name(number)), f"{number} next")


async def test_one_of_many_rotations_of_one_token_wins(store: Store) -> None:
    rivals = [rotated(refresh(name(0)), f"{number}") for number in range(MANY)]
    won = await asyncio.gather(
        *(store.commit(store.grants.spend_refresh(refresh(name(0)), rival, account())) for rival in rivals)
    )
    assert sum(won) == 1
    assert (await newest(store))[0].hash == rivals[won.index(True)].hash


async def test_a_value_that_the_database_refuses_concerns_its_own_row(store: Store) -> None:
    odd = replace(account(), name="zero \0 byte")
    asked = [rotation(store, number, person=odd if number == 2 else None) for number in range(MANY)]
    assert await asyncio.gather(*asked) == [number != 2 for number in range(MANY)]


async def test_a_commit_of_several_writes_is_not_one_of_many(store: Store) -> None:
    writes = [
        store.commit(
            store.grants.spend_refresh(refresh(name(number)), rotated(refresh(name(number)), "x"), account()),
            store.audit.append(event(number)),
        )
        for number in range(4)
    ]
    assert all(await asyncio.gather(*writes))
    assert len(await store.audit.page()) == 4


async def test_a_rotation_that_waited_for_a_lock_sees_what_came_first(store: Store, other: Any) -> None:
    await other.execute("BEGIN")
    await other.execute(
        "UPDATE refresh_tokens SET hash = $1, generation = 9 WHERE grant_id = 'grt_g04'", b"other"
    )
    asked = [asyncio.create_task(rotation(store, number)) for number in range(MANY)]
    await asyncio.sleep(0.05)
    await other.execute("COMMIT")
    assert [await one for one in asked] == [number != 4 for number in range(MANY)]


async def test_without_an_answer_every_caller_is_told_and_nothing_is_done_twice(postgres_url: str) -> None:
    async with relay(postgres_url) as wire:
        store = await open_store(wire.url, postgres=PostgresOptions(pool_size=1))
        await prepared(store)
        await warm(wire, store)
        wire.deaf = True
        asked = [asyncio.create_task(rotation(store, number)) for number in range(MANY)]
        while not wire.trips:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        wire.cut()
        said = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(one) for one in said} == {StoreUnavailable}
        wire.deaf = False
        assert generations(await newest(store)) == [1] * MANY
        await store.close()


async def test_processes_that_rotate_the_same_tokens_in_opposite_order_do_not_hold_each_other_up(
    postgres_url: str, store: Store
) -> None:
    second = await open_store(postgres_url)
    async with asyncio.timeout(PATIENCE):
        won = await asyncio.gather(
            *(rotation(store, number) for number in range(MANY)),
            *(rotation(second, number) for number in reversed(range(MANY))),
        )
    assert sum(won) == MANY
    await second.close()


async def test_what_cannot_be_sent_in_time_is_refused(postgres_url: str, store: Store, other: Any) -> None:
    busy = await open_store(postgres_url, postgres=PostgresOptions(pool_wait=1, statement_timeout=20))
    await other.execute("BEGIN")
    await other.execute("LOCK TABLE refresh_tokens IN ACCESS EXCLUSIVE MODE")
    sent = []
    for number in range(LANES):
        sent.append(asyncio.create_task(rotation(busy, number)))
        await asyncio.sleep(0.1)
    waiting = [rotation(busy, number) for number in range(LANES, MANY)]
    said = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(one) for one in said} == {StoreUnavailable}
    await other.execute("ROLLBACK")
    assert all(await asyncio.gather(*sent))
    assert generations(await newest(store)) == [int(number < LANES) for number in range(MANY)]
    await busy.close()


BUSY = PostgresOptions(pool_wait=1, statement_timeout=60)
"""A change that cannot be sent is refused soon, and one that was sent is not."""


async def waits_for_a_lock(other: Any, number: int = 1) -> None:
    """Until `number` statements of somebody else wait for a lock."""
    async with asyncio.timeout(PATIENCE):
        while await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") < number:
            await asyncio.sleep(0.01)


async def hold(other: Any, number: int) -> None:
    await other.execute("BEGIN")
    await other.fetch("SELECT 1 FROM refresh_tokens WHERE grant_id = $1 FOR UPDATE", f"grt_{name(number)}")


async def test_a_row_that_is_locked_holds_up_nobody_else(store: Store, other: Any) -> None:
    """docs/incidents/0115-one-locked-row-held-up-everybody.md"""
    await hold(other, 4)
    asked = [asyncio.create_task(rotation(store, number)) for number in range(MANY)]
    held = asked.pop(4)
    async with asyncio.timeout(PATIENCE):
        assert all(await asyncio.gather(*asked))
    await waits_for_a_lock(other)
    assert not held.done()
    await other.execute("ROLLBACK")
    assert await held


async def test_rotations_that_wait_for_a_row_leave_the_lanes_to_others(
    postgres_url: str, store: Store, other: Any
) -> None:
    """However often they are asked for, one by one or together; and those that wait for their turn are refused in time."""
    busy = await open_store(postgres_url, postgres=BUSY)
    await hold(other, 4)
    held = [asyncio.create_task(rotation(busy, 4)) for _ in range(APART)]
    await waits_for_a_lock(other, APART)
    for _ in range(MANY):
        held.append(asyncio.create_task(rotation(busy, 4)))
        await asyncio.sleep(0.01)
    held += [asyncio.create_task(rotation(busy, 4)) for _ in range(MANY)]
    async with asyncio.timeout(PATIENCE):
        assert all([await rotation(busy, number) for number in range(MANY) if number != 4])
        refused, _ = await asyncio.wait(held[APART:])
    assert {type(one.exception()) for one in refused} == {StoreUnavailable}
    assert not any(one.done() for one in held[:APART])
    await other.execute("ROLLBACK")
    assert sorted(await asyncio.gather(*held[:APART])) == [False] * (APART - 1) + [True]
    await busy.close()


async def test_a_rotation_that_waited_for_its_row_sees_the_person_as_of_then(
    store: Store, other: Any
) -> None:
    """docs/incidents/0116-a-guard-as-old-as-the-wait.md"""
    await hold(other, 4)
    asked = asyncio.create_task(rotation(store, 4))
    await waits_for_a_lock(other)
    await store.commit(store.accounts.replace(replace(account(), disabled_at=NOW), old=account()))
    await other.execute("ROLLBACK")
    assert not await asked
    assert generations(await newest(store)) == [0] * MANY


async def test_what_waits_from_the_first_turn_on_is_refused_in_time_too(
    postgres_url: str, store: Store, other: Any
) -> None:
    """Those that join while a lane is starting, and find no place in its statement."""
    busy = await open_store(postgres_url, postgres=BUSY)
    await other.execute("BEGIN")
    await other.execute("LOCK TABLE refresh_tokens IN ACCESS EXCLUSIVE MODE")
    asked = [asyncio.create_task(rotation(busy, 0)) for _ in range(MOST * LANES + 3)]
    async with asyncio.timeout(PATIENCE):
        said, _ = await asyncio.wait(asked[MOST * LANES :])
    assert {type(one.exception()) for one in said} == {StoreUnavailable}
    await other.execute("ROLLBACK")
    assert sum(await asyncio.gather(*asked[: MOST * LANES])) == 1
    await busy.close()


async def test_what_is_under_way_when_a_lane_is_stopped_is_not_left_waiting(store: Store, other: Any) -> None:
    await other.execute("BEGIN")
    await other.execute("LOCK TABLE refresh_tokens IN ACCESS EXCLUSIVE MODE")
    asked = asyncio.create_task(rotation(store, 0))
    await waits_for_a_lock(other)
    database = store.accounts._db
    assert isinstance(database, PostgresDatabase)
    for lane in database._commits:
        lane.cancel()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(StoreUnavailable):
            await asked
    await other.execute("ROLLBACK")
    assert await rotation(store, 1)


async def test_what_waits_is_written_before_the_store_closes(postgres_url: str, store: Store) -> None:
    closing = await open_store(postgres_url)
    asked = [asyncio.create_task(rotation(closing, number)) for number in range(MANY)]
    await asyncio.sleep(0)
    await closing.close()
    assert all(await asyncio.gather(*asked))
    assert generations(await newest(store)) == [1] * MANY


async def test_the_rows_are_found_by_their_keys(store: Store, other: Any) -> None:
    """In tables of a size at which anything else would cost more."""
    for table, key, unique in (
        ("accounts", "id", ", 'email', 'x' || n"),
        ("grants", "id", ""),
        ("refresh_tokens", "grant_id", ""),
    ):
        await other.execute(
            f"INSERT INTO {table} SELECT (jsonb_populate_record(one.old, jsonb_build_object('{key}', 'x' || n{unique}))).*"
            f" FROM (SELECT t AS old FROM {table} AS t LIMIT 1) AS one, generate_series(1, 20000) AS n"
        )
        await other.execute(f"ANALYZE {table}")
    text = for_many(_SPEND)
    await other.execute("SET plan_cache_mode = force_generic_plan")
    values = ", ".join(["NULL"] * len(_SPEND.types))
    await other.execute(f"PREPARE many AS {text}")
    plan = [row[0] for row in await other.fetch(f"EXPLAIN EXECUTE many({values})")]
    assert not [line for line in plan if "Seq Scan" in line or "Hash" in line], plan
