"""Tests that every value survives a move from one engine to the other and back, byte for byte."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from doorward.core.errors import StoreUnavailable
from doorward.storage.copy.move import move
from doorward.storage.copy.postgres_side import open_postgres_side
from doorward.storage.copy.side import Side
from doorward.storage.copy.sqlite_side import open_sqlite_side
from doorward.storage.copy.tables import CopyRefused
from doorward.storage.postgres.database import open_postgres
from doorward.storage.postgres.options import PostgresOptions
from tests.moving.crowd import crowd, settle, sqlite_store
from tests.moving.test_copy_sqlite import Steps

pytestmark = pytest.mark.anyio


async def test_every_value_survives_a_move_from_sqlite_to_postgresql_and_back(
    tmp_path: Path, postgres_url: str
) -> None:
    here, there = tmp_path / "a.db", tmp_path / "b.db"
    some = crowd()
    async with sqlite_store(here) as store:
        await settle(store, some, 0, 500)
        await store.commit(store.put_meta("feed", "name"), store.require_this_program())
        needed = await store.meta("schema.readable")
    away = await open_postgres(postgres_url)
    try:
        source, target = (
            await open_sqlite_side(here),
            await open_postgres_side(postgres_url, PostgresOptions()),
        )
        with pytest.raises(KeyboardInterrupt):
            await move(source, target, owner="one", progress=Steps(stop_after=8))
        assert not await away.ready()
        did = await move(source, target, owner="two", progress=Steps())
        assert did.kept > 0
        assert await away.ready()
        # an older program is refused at the new place, too
        assert await away.meta("schema.readable") == needed
        await settle(away, some, 500, 510)
        async with sqlite_store(there):
            pass
        back = await open_sqlite_side(there)
        again = await move(target, back, owner="three", progress=Steps())
        with pytest.raises(StoreUnavailable, match="moved"):
            await settle(away, some, 510, 511)
        for side in (source, target, back):
            await side.aclose()
    finally:
        await away.close()
    before = {one.table: one for one in did.tables}
    after = {one.table: one for one in again.tables}
    assert before["clients"] == after["clients"]
    assert after["accounts"].rows == before["accounts"].rows + 10
    async with sqlite_store(there) as store:
        assert await store.ready()
        await settle(store, some, 510, 520)


async def test_a_value_that_postgresql_cannot_hold_is_named_and_the_source_stays_in_use(
    tmp_path: Path, postgres_url: str
) -> None:
    """A zero byte is an ordinary character in SQLite; PostgreSQL has none."""
    here = tmp_path / "a.db"
    some = crowd()
    async with sqlite_store(here) as store:
        await settle(store, some, 0, 5)
        someone = await store.accounts.by_email(some.email(3))
        assert someone is not None
        await store.commit(store.accounts.replace(replace(someone, name="a\x00b")))
        away = await open_postgres(postgres_url)
        await away.close()
        source, target = (
            await open_sqlite_side(here),
            await open_postgres_side(postgres_url, PostgresOptions()),
        )
        with pytest.raises(CopyRefused) as refused:
            await move(source, target, owner="one", progress=Steps())
        assert f"accounts {someone.id}: name holds a zero byte" in refused.value.error
        await store.commit(store.accounts.replace(someone))
        did = await move(source, target, owner="two", progress=Steps())
        assert did.rows > 0
        await source.aclose()
        await target.aclose()


async def test_two_moves_of_one_postgresql_exclude_each_other(tmp_path: Path, postgres_url: str) -> None:
    away = await open_postgres(postgres_url)
    try:
        await settle(away, crowd(), 0, 10)
        sides: list[Side] = []
        for name in ("a.db", "b.db"):
            async with sqlite_store(tmp_path / name):
                pass
            sides.append(await open_sqlite_side(tmp_path / name))
        sources = [await open_postgres_side(postgres_url, PostgresOptions()) for _ in range(2)]
        ends = await asyncio.gather(
            *(
                move(source, target, owner=target.place, progress=Steps())
                for source, target in zip(sources, sides, strict=True)
            ),
            return_exceptions=True,
        )
        refused = [end for end in ends if isinstance(end, CopyRefused)]
        assert len(refused) == 1, ends
        with pytest.raises(StoreUnavailable):
            await settle(away, crowd(), 10, 11)
        for side in (*sources, *sides):
            await side.aclose()
    finally:
        await away.close()
