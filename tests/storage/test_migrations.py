"""Migrations: a database gets this program's schema once, and an unusable one is refused with advice."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import asyncpg
import pytest

from doorward.core.errors import StoreUnavailable
from doorward.storage.postgres import database as postgres
from doorward.storage.sql.migrate import Migration, SchemaRefused, known, missing
from doorward.storage.sqlite import database as sqlite
from tests.storage.children import said, start
from tests.storage.stores import Opener

pytestmark = pytest.mark.anyio
MIGRATED = False

TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
    "relative": "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
    "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
}


async def run(opener: Opener, sql: str) -> list[tuple[object, ...]]:
    """Run SQL as a database shell would."""
    if opener.kind != "sqlite":
        there = await asyncpg.connect(opener.place)
        rows = [tuple(row) for row in await there.fetch(sql)]
        await there.close()
        return rows
    connection = sqlite3.connect(opener.place)
    with connection:
        rows = connection.execute(sql).fetchall()
    connection.close()
    return rows


def with_next(patch: pytest.MonkeyPatch, text: str, *, readable: bool = False) -> None:
    """A program with one more migration, `readable` by the program without it."""

    def newer(engine: str) -> tuple[Migration, ...]:
        own = known(engine)
        oldest = len(own) if readable else 0
        return (*own, Migration(len(own) + 1, "later", text, "checksum", oldest))

    patch.setattr(sqlite, "known", newer)
    patch.setattr(postgres, "known", newer)


async def test_a_second_start_changes_nothing(opener: Opener) -> None:
    for _ in range(2):
        store = await opener()
        assert await store.ready()
        await store.close()
    own = [(migration.number, migration.name) for migration in known(opener.engine)]
    assert own[0] == (1, "first")
    assert await run(opener, "SELECT number, name FROM schema_migrations ORDER BY number") == own


async def test_processes_that_start_at_once_migrate_once(opener: Opener) -> None:
    children = [start(opener, "open_only", f"p{number}") for number in range(4)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    lines = await asyncio.to_thread(said, *children)
    assert lines == [[f"p{number} True"] for number in range(4)]


async def test_a_newer_schema_is_refused_with_advice(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        with_next(patch, "CREATE TABLE later (id TEXT)")
        store = await opener()
        assert await store.ready()
        await store.commit(store.put_meta("kept", "yes"))
        await store.close()
    own = len(known(opener.engine))
    said = rf"schema version {own + 1}, this program knows versions up to {own}.*newer"
    for migrate in (True, False):
        with pytest.raises(SchemaRefused, match=said):
            await opener(migrate=migrate)
    assert await run(opener, "SELECT value FROM meta WHERE name = 'kept'") == [("yes",)]


async def test_an_older_program_runs_and_starts_on_a_schema_with_additions_only(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = await opener()
    with monkeypatch.context() as patch:
        with_next(patch, "ALTER TABLE meta ADD COLUMN note TEXT", readable=True)
        newer = await opener()
        assert await newer.ready()
        await newer.commit(newer.put_meta("from", "newer"))
    for _ in range(2):
        assert await older.ready()
        assert await older.meta("from") == "newer"
        await older.commit(older.put_meta("from", "older"))
        assert await newer.meta("from") == "older"
        await newer.commit(newer.put_meta("from", "newer"))
        await older.close()
        older = await opener()
    await older.close()
    await newer.close()


async def test_an_older_program_is_not_ready_after_an_incompatible_migration(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = await opener()
    with monkeypatch.context() as patch:
        with_next(patch, "DROP INDEX nodes_expires")
        await (await opener()).close()
    assert not await older.ready()
    await older.close()
    with pytest.raises(SchemaRefused, match="Start that newer version again"):
        await opener()


async def test_a_readable_value_for_another_version_is_ignored(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await opener()).close()
    own = len(known(opener.engine))
    with monkeypatch.context() as patch:
        with_next(patch, "ALTER TABLE meta ADD COLUMN note TEXT")
        await (await opener()).close()
    await run(opener, f"UPDATE meta SET value = '{own} 1' WHERE name = 'schema.readable'")
    with pytest.raises(SchemaRefused):
        await opener()


async def test_an_older_schema_is_brought_up_to_date_and_keeps_its_rows(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await opener()
    await store.commit(store.put_meta("kept", "yes"))
    await store.close()
    with_next(monkeypatch, "ALTER TABLE meta ADD COLUMN note TEXT")
    untouched = await opener(migrate=False)
    assert not await untouched.ready()
    assert await untouched.meta("kept") == "yes"
    await untouched.close()
    store = await opener()
    assert (await store.ready(), await store.meta("kept")) == (True, "yes")
    await store.close()
    assert await run(opener, "SELECT name, note FROM meta WHERE name = 'kept'") == [("kept", None)]


async def test_a_failed_migration_leaves_no_changes(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    await (await opener()).close()
    before = await run(opener, TABLES[opener.kind])
    with monkeypatch.context() as patch:
        with_next(patch, "CREATE TABLE later (id TEXT);\nCREATE TABLE meta (id TEXT);")
        with pytest.raises(StoreUnavailable, match=r'The database .*"?meta"? already exists'):
            await opener()
    assert await run(opener, TABLES[opener.kind]) == before
    store = await opener()
    assert await store.ready()
    await store.close()


async def test_a_database_made_by_a_different_migration_text_is_refused(opener: Opener) -> None:
    await (await opener()).close()
    await run(opener, "UPDATE schema_migrations SET checksum = 'other'")
    with pytest.raises(SchemaRefused, match="another text of migration 1"):
        await opener()


async def test_opening_without_migration_leaves_an_empty_database_empty_and_not_ready(opener: Opener) -> None:
    store = await opener(migrate=False)
    assert not await store.ready()
    with pytest.raises(StoreUnavailable):
        await store.meta("issuer")
    with pytest.raises(StoreUnavailable):
        await store.commit(store.put_meta("a", "b"))
    await store.close()
    assert await run(opener, TABLES[opener.kind]) == []


def test_a_migration_cannot_be_readable_by_a_later_version(tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text("-- readable by: 1\nCREATE TABLE a (id TEXT);")
    assert known("sqlite", tmp_path)[0].readable_by == 1
    (tmp_path / "0001_first.sql").write_text("-- readable by: 2\nCREATE TABLE a (id TEXT);")
    with pytest.raises(ValueError, match="comes after it"):
        known("sqlite", tmp_path)


def test_migration_numbers_have_no_gaps(tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE a (id TEXT);")
    (tmp_path / "0001_first.sqlite.sql").write_text("CREATE TABLE b (id TEXT);")
    (tmp_path / "0001_first.other.sql").write_text("CREATE TABLE c (id TEXT);")
    (one,) = known("sqlite", tmp_path)
    assert (one.number, one.name) == (1, "first")
    assert "TABLE b" in one.text
    assert "TABLE c" not in one.text
    (tmp_path / "0003_third.sql").write_text("CREATE TABLE d (id TEXT);")
    with pytest.raises(ValueError, match="not numbered"):
        known("sqlite", tmp_path)


def test_only_missing_migrations_run() -> None:
    mine = [Migration(n, f"m{n}", "", f"c{n}") for n in (1, 2, 3)]
    assert missing([], mine, where="x") == mine
    assert missing([(1, "m1", "c1")], mine, where="x") == mine[1:]
    assert missing([(n, f"m{n}", f"c{n}") for n in (1, 2, 3)], mine, where="x") == []
    with pytest.raises(SchemaRefused):
        missing([(n, f"m{n}", f"c{n}") for n in (1, 2, 3, 4)], mine, where="x")
