"""Every table with rows, moved to the other engine and back, and backed up and restored: each row arrives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.storage.copy.move import move
from doorward.storage.copy.postgres_side import open_postgres_side
from doorward.storage.copy.sqlite_side import open_sqlite_side
from doorward.storage.postgres.database import open_postgres
from doorward.storage.postgres.options import PostgresOptions
from tests.cli.conftest import Ended
from tests.moving.crowd import crowd, fill, settle, sqlite_store
from tests.moving.every_table import fill_every, rows_of
from tests.moving.test_copy_sqlite import Steps

pytestmark = pytest.mark.anyio
Run = Callable[..., Ended]
LATER = frozenset({"audit", "audit_personal", "audit_chain", "audit_heads", "counters", "meta"})


async def test_the_rows_of_every_table_survive_a_move_to_postgresql_and_back(
    tmp_path: Path, postgres_url: str
) -> None:
    here, there = tmp_path / "a.db", tmp_path / "b.db"
    async with sqlite_store(here) as store:
        await settle(store, crowd(), 0, 11)
    fill_every(here)
    before = rows_of(here)
    assert [table for table, rows in before.items() if not rows] == [], "the test would not miss their rows"
    away = await open_postgres(postgres_url)
    await away.close()
    async with sqlite_store(there):
        pass
    options = PostgresOptions()
    source, target = await open_sqlite_side(here), await open_postgres_side(postgres_url, options)
    back = await open_sqlite_side(there)
    try:
        await move(source, target, owner="one", progress=Steps())
        await move(target, back, owner="two", progress=Steps())
    finally:
        for side in (source, target, back):
            await side.aclose()
    assert rows_of(there) == before


def test_the_rows_of_every_table_survive_a_backup_and_a_restore(stocked: Run, house: Path) -> None:
    here, there = house / "doorward.db", house / "b.db"
    fill(here, crowd(), 11)
    fill_every(here)
    assert stocked("backup", "a.bak", "--json").status == 0
    before = rows_of(here)
    assert [table for table, rows in before.items() if not rows] == []
    assert stocked("restore", "a.bak", "--into", "b.db", "--json").status == 0
    after = rows_of(there)
    # the backup and the restore are lines of the audit log themselves, and the counters go on above both databases
    for table, rows in before.items():
        if table not in LATER:
            assert after[table] == rows, table
    assert set(before["audit"]) <= set(after["audit"])
