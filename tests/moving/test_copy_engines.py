"""Does everything survive the way from one engine to the other and back, byte for byte?"""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.ports.store import StoreUnavailable
from doorward.stores.sql.copy.move import move
from doorward.stores.sql.copy.postgres_side import open_postgres_side
from doorward.stores.sql.copy.sqlite_side import open_sqlite_side
from doorward.stores.sql.postgres import open_postgres
from doorward.stores.sql.postgres_options import PostgresOptions
from tests.moving.crowd import crowd, settle, sqlite_store
from tests.moving.test_copy_sqlite import Steps

pytestmark = pytest.mark.anyio


async def test_from_sqlite_to_postgresql_and_back(tmp_path: Path, postgres_url: str) -> None:
    here, there = tmp_path / "a.db", tmp_path / "b.db"
    some = crowd()
    async with sqlite_store(here) as store:
        await settle(store, some, 0, 500)
        await store.commit(store.put_meta("feed", "name"))
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
        await settle(away, some, 500, 510)
        async with sqlite_store(there):
            pass
        back = await open_sqlite_side(there)
        again = await move(target, back, owner="three", progress=Steps())
        with pytest.raises(StoreUnavailable, match="moved"):
            await settle(away, some, 510, 511)
        for side in (source, target, back):
            await side.close()
    finally:
        await away.close()
    before = {one.table: one for one in did.tables}
    after = {one.table: one for one in again.tables}
    assert before["clients"] == after["clients"]
    assert after["accounts"].rows == before["accounts"].rows + 10
    async with sqlite_store(there) as store:
        assert await store.ready()
        await settle(store, some, 510, 520)
