"""Monthly partitions of the audit log on PostgreSQL: made ahead, and without blocking other work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from doorward.adapters.random import SystemRandom
from doorward.storage.sql.store import Store
from tests.storage.samples import NOW, SEEN, event
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio
KINDS = ("postgres",)

_PARTS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit'::regclass ORDER BY 1"


def months() -> list[str]:
    """This month and the next two."""
    first = datetime.now(UTC).replace(day=1)
    second = (first + timedelta(days=32)).replace(day=1)
    third = (second + timedelta(days=32)).replace(day=1)
    return [f"audit_{month:%Y_%m}" for month in (first, second, third)]


@pytest.fixture(autouse=True)
async def away_from_the_turn() -> None:
    """Server and test each read a clock: a month that ends in between would give two."""
    soon = datetime.now(UTC) + timedelta(seconds=30)
    if f"{soon:%m}" != f"{datetime.now(UTC):%m}":
        await asyncio.sleep(31)


def at(when: datetime) -> str:
    return SystemRandom(when.timestamp).new_id("aud")


@pytest.fixture
async def shell(postgres_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


async def parts(shell: Any) -> list[str]:
    return [row[0] for row in await shell.fetch(_PARTS)]


async def home(shell: Any, line: str) -> str:
    """The table that contains a line."""
    return await shell.fetchval("SELECT tableoid::regclass::text FROM audit WHERE id = $1", line)


async def test_lines_are_stored_by_month_and_read_as_one_table(store: Store, shell: Any) -> None:
    assert await parts(shell) == [*months(), "audit_before", "audit_later"]
    now = datetime.now(UTC)
    lines = {
        at(now - timedelta(days=900)): "audit_before",
        at(now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)): months()[0],
        at(now): months()[0],
        at(now.replace(day=1) + timedelta(days=32)): months()[1],
        at(now + timedelta(days=900)): "audit_later",
    }
    for line in lines:
        assert await store.commit(store.audit.append(event(id=line)))
    assert {line: await home(shell, line) for line in lines} == lines
    newest = list(reversed(lines))
    assert [one.id for one in await store.audit.page()] == newest
    assert [one.id for one in await store.audit.page(before=newest[1], limit=2)] == newest[2:4]
    assert [one.id for one in await store.audit.page(kind="sign_in.succeeded", limit=3)] == newest[:3]
    assert [one.id for one in await store.audit.of_account("usr_ada", SEEN)] == newest


async def test_the_partition_of_a_month_refuses_changes_too(store: Store, shell: Any) -> None:
    line = at(datetime.now(UTC))
    await store.commit(store.audit.append(event(id=line)))
    for table in ("audit", months()[0]):
        for attempt in (f"UPDATE {table} SET kind = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append-only"):
                await shell.execute(attempt)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append-only"):
        await shell.execute("TRUNCATE audit")
    assert [one.id for one in await store.audit.page()] == [line]


async def test_the_sweep_makes_missing_months(store: Store, shell: Any) -> None:
    await shell.execute(f"DROP TABLE {months()[2]}")
    assert await store.sweep(NOW) == 0
    assert await parts(shell) == [*months(), "audit_before", "audit_later"]
    # not at every batch
    await shell.execute(f"DROP TABLE {months()[2]}")
    await store.sweep(NOW + 60)
    assert months()[2] not in await parts(shell)
    await store.sweep(NOW + 3600)
    assert months()[2] in await parts(shell)


async def test_a_long_read_of_the_audit_log_does_not_block_the_sweep(store: Store, shell: Any) -> None:
    await shell.execute(f"DROP TABLE {months()[2]}")
    # as a backup reads: for minutes
    await shell.execute("BEGIN")
    await shell.fetch("SELECT count(*) FROM audit")
    sweeping = asyncio.create_task(store.sweep(NOW))
    async with asyncio.timeout(PATIENCE):
        for number in range(20):
            assert await store.commit(store.audit.append(event(id=at(datetime.now(UTC)), at=number)))
        await sweeping
    assert months()[2] not in await parts(shell)
    await shell.execute("COMMIT")
    await store.sweep(NOW + 3600)
    assert months()[2] in await parts(shell)


async def test_lines_written_before_their_month_exists_stay_in_the_default_partition(
    store: Store, shell: Any
) -> None:
    await shell.execute(f"DROP TABLE {months()[2]}")
    line = at(datetime.now(UTC).replace(day=1) + timedelta(days=65))
    await store.commit(store.audit.append(event(id=line)))
    assert await home(shell, line) == "audit_later"
    await store.sweep(NOW)
    assert [one.id for one in await store.audit.page()] == [line]
    assert await store.ready()
