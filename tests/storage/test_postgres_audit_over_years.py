"""Monthly partitions of the audit log on PostgreSQL over years, under a controlled clock."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from doorward.core.errors import StoreConflict, StoreUnavailable
from doorward.storage.copy.fence import Fence
from doorward.storage.copy.pieces import All, Rows, dump
from doorward.storage.copy.postgres_side import open_postgres_side
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.sql.statements import write
from tests.moving.test_copy_sqlite import Steps
from tests.postgres import Databases
from tests.storage.samples import DAY, SEEN
from tests.storage.years import BEGAN, KEEP, Years, server

MIGRATED = False
pytestmark = pytest.mark.anyio


def called(*days: datetime) -> list[str]:
    return [f"audit_{day:%Y_%m}" for day in days]


async def test_over_five_years_each_line_is_stored_in_its_month_and_dropped_with_it(years: Years) -> None:
    async with server(years.url) as store:
        lines: list[tuple[datetime, str]] = []
        while years.at < BEGAN + timedelta(days=5 * 365):
            line = await years.written(store)
            lines.append((years.at, line))
            assert await years.home(line) in called(years.at)
            await years.turn(years.at + timedelta(days=9, hours=7))
            await years.upkeep(store)
            # 400 days touch 15 months at most, and the months ahead
            assert len(await years.months()) <= 17
        whole = years.at - timedelta(seconds=KEEP)
        first = whole.replace(day=1, hour=0, minute=0, second=0)
        left = [line for at, line in lines if at >= first]
        assert len(left) < len(lines) / 3
        assert [one.id for one in await store.audit.page(limit=1000)] == left[::-1]
        assert [one.id for one in await store.audit.of_account("usr_ada", SEEN, limit=1000)] == left[::-1]
        assert await years.shell.fetchval("SELECT count(*) FROM audit_later") == 0


@pytest.mark.parametrize(
    "turn", [datetime(2021, 12, 31, 23, 59, 59, 999000, UTC), datetime(2024, 2, 29, tzinfo=UTC)]
)
async def test_the_next_month_exists_before_it_begins(years: Years, turn: datetime) -> None:
    await years.turn(turn - timedelta(days=20))
    async with server(years.url) as store:
        await years.upkeep(store)
        # no sweep for a month and a half: two months were made ahead
        for step in (timedelta(), timedelta(milliseconds=1), timedelta(days=1), timedelta(days=28)):
            await years.turn(turn + step)
            assert await years.home(await years.written(store)) in called(years.at)


async def test_a_start_after_months_of_downtime_makes_the_current_month_first(
    years: Years,
) -> None:
    async with server(years.url) as store:
        await years.written(store)
    await years.turn(datetime(2022, 6, 30, 23, 0, tzinfo=UTC))
    async with server(years.url) as one, server(years.url) as other:
        for store in (one, other):
            assert await years.home(await years.written(store)) == "audit_2022_06"
        assert (await years.months())[-3:] == ["audit_2022_06", "audit_2022_07", "audit_2022_08"]
        # from a slow clock: that month never existed, and the line is stored all the same
        late = await years.written(one, datetime(2022, 3, 5, tzinfo=UTC))
        assert await years.home(late) == "audit_later"
        await years.turn(datetime(2023, 3, 1, tzinfo=UTC))
        await years.upkeep(one)
        assert late in {line.id for line in await one.audit.page()}
        # and is removed when it is old enough
        await years.turn(datetime(2023, 4, 20, tzinfo=UTC))
        await years.upkeep(one)
        assert late not in {line.id for line in await one.audit.page()}


async def test_concurrent_starts_write_no_line_outside_the_current_month(years: Years) -> None:
    async with server(years.url):
        pass
    await years.turn(datetime(2022, 6, 1, tzinfo=UTC))

    async def started() -> str:
        async with server(years.url) as store:
            return await years.written(store)

    lines = await asyncio.gather(*(started() for _ in range(8)))
    assert {await years.home(line) for line in lines} == {"audit_2022_06"}


async def test_retention_works_with_serializable_transactions(years: Years) -> None:
    name = urlsplit(years.url).path.lstrip("/")
    await years.shell.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    async with server(years.url) as store, server(years.url) as other:
        await years.written(store)
        await years.written(store, datetime(2019, 1, 1, tzinfo=UTC))
        await years.turn(BEGAN + timedelta(days=500))
        line = await years.written(other)
        assert sum(await asyncio.gather(years.upkeep(store), years.upkeep(other))) == 3 + 1
        assert [one.id for one in await other.audit.page()] == [line]


async def test_a_server_makes_missing_months_after_a_long_outage(years: Years) -> None:
    async with server(years.url) as store:
        await years.turn(datetime(2022, 6, 10, tzinfo=UTC))
        line = await years.written(store)
        assert await years.home(line) == "audit_later"
        await years.upkeep(store)
        # lines of its month are in the default partition; the months ahead are made, and the line is removed in time
        # like every other
        assert (await years.months())[-2:] == ["audit_2022_07", "audit_2022_08"]
        await years.turn(datetime(2022, 7, 1, tzinfo=UTC))
        assert await years.home(await years.written(store)) == "audit_2022_07"
        assert await years.home(line) == "audit_later"
        await years.turn(datetime(2023, 10, 1, tzinfo=UTC))
        await years.upkeep(store)
        assert await store.audit.page() == []


async def test_a_clock_set_back_before_the_first_month_does_not_block_writes(years: Years) -> None:
    async with server(years.url) as store:
        await years.turn(BEGAN - timedelta(days=90))
        line = await years.written(store)
        await years.upkeep(store)
        assert await years.home(line) == "audit_before"
        async with server(years.url) as other:
            await years.written(other)


async def test_a_node_with_a_wrong_year_removes_no_lines(years: Years) -> None:
    async with server(years.url) as store:
        line = await years.written(store)
        await years.turn(BEGAN + timedelta(days=100))
        assert await store.audit.prune(years.now + 30 * 365 * DAY, KEEP) == 0
        assert [one.id for one in await store.audit.page()] == [line]


async def test_a_month_is_dropped_when_its_last_line_is_old_enough(years: Years) -> None:
    async with server(years.url) as store:
        first = await years.written(store, datetime(2021, 10, 1, tzinfo=UTC))
        last = await years.written(store, datetime(2021, 10, 31, 23, 59, tzinfo=UTC))
        await years.turn(datetime(2021, 10, 31, 23, 59, tzinfo=UTC) + timedelta(days=400))
        assert await years.upkeep(store) == 0
        assert [one.id for one in await store.audit.page()] == [last, first]
        await years.turn(years.at + timedelta(minutes=2))
        assert await years.upkeep(store) == 1
        assert await store.audit.page() == []
        assert "audit_2021_10" not in await years.parts()


async def test_lines_newer_than_the_start_of_the_log_cannot_be_deleted(years: Years) -> None:
    async with server(years.url) as store:
        await years.written(store)
        for statement in ("DELETE FROM audit", "DELETE FROM audit_2021_10", "TRUNCATE audit"):
            with pytest.raises((StoreConflict, StoreUnavailable), match="append-only"):
                await store.commit(write(statement))
        assert len(await store.audit.page()) == 1


async def test_a_long_read_postpones_the_drop_of_a_month(years: Years) -> None:
    async with server(years.url) as store:
        await years.written(store)
        await years.turn(BEGAN + timedelta(days=500))
        reader = years.shell
        async with reader.transaction():
            await reader.fetch("SELECT count(*) FROM audit")
            # if it waited for the reader, it would hang: the reader ends later
            assert await years.upkeep(store) == 0
            await years.written(store)
            assert "audit_2021_10" in await years.parts()
        # not immediately: each try blocks writers for a moment
        assert await years.upkeep(store) == 0
        await years.turn(years.at + timedelta(hours=1))
        assert await years.upkeep(store) == 1 + 2
        assert "audit_2021_10" not in await years.parts()


async def test_a_running_backup_contains_every_line_of_its_snapshot(years: Years) -> None:
    async with server(years.url) as store:
        lines = [await years.written(store) for _ in range(5)]
        await years.turn(BEGAN + timedelta(days=500))
        side = await open_postgres_side(years.url, PostgresOptions())
        async with side.snapshot():
            # like a backup, it has read only another table so far
            await side.rows("SELECT COUNT(*) FROM accounts")
            assert await years.upkeep(store) == 0
            assert (await side.rows("SELECT COUNT(*) FROM audit"))[0][0] == 5
        found: list[str] = []
        last = None
        async for piece in dump(side, Steps()):
            assert await years.upkeep(store) == 0
            if isinstance(piece, Rows) and piece.table == "audit":
                found += [row[0] for row in piece.rows]
            last = piece
        assert isinstance(last, All)
        await side.aclose()
        assert found == sorted(lines)
        await years.turn(years.at + timedelta(hours=1))
        assert await years.upkeep(store) > 0
        assert await store.audit.page() == []


async def test_no_lines_are_removed_during_a_move(years: Years) -> None:
    async with server(years.url) as store:
        line = await years.written(store)
        before = await years.written(store, datetime(2019, 1, 1, tzinfo=UTC))
        await years.turn(BEGAN + timedelta(days=500))
        side = await open_postgres_side(years.url, PostgresOptions())
        fence = Fence(side, await side.tables(), "mover")
        await fence.up()
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="moved"):
                await store.audit.prune(years.now, KEEP)
        assert [one.id for one in await store.audit.page()] == [line, before]
        await fence.down()
        await side.aclose()
        assert await years.upkeep(store) == 3 + 1
        assert await store.audit.page() == []


async def test_a_role_that_does_not_own_the_audit_log_removes_lines_without_dropping_months(
    years: Years, postgres: Databases
) -> None:
    role = f"guest_{urlsplit(years.url).path[-8:]}"
    async with server(years.url) as owner:
        await years.written(owner)
        before = await years.written(owner, datetime(2019, 1, 1, tzinfo=UTC))
    postgres.query(
        f"CREATE ROLE {role} LOGIN PASSWORD 'a-word-of-the-tests';"
        f" GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        years.url,
    )
    try:
        parts = urlsplit(years.url)
        place = parts.netloc.rpartition("@")[2]
        url = parts._replace(netloc=f"{role}:a-word-of-the-tests@{place}").geturl()
        await years.turn(BEGAN + timedelta(days=500))
        async with server(url) as store:
            assert await years.upkeep(store) == 1
            assert before not in {one.id for one in await store.audit.page()}
            assert "audit_2021_10" in await years.months()
            # this role may make no months either, and its lines are stored all the same
            assert await years.home(await years.written(store)) == "audit_later"
    finally:
        with suppress(RuntimeError):
            postgres.query(f"DROP OWNED BY {role}; DROP ROLE {role}", years.url)
