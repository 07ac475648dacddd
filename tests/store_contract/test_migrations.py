"""Does a database get this program's schema once, and is one that we must not touch refused in words that help?"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from doorward.ports.store import StoreUnavailable
from doorward.stores.sql import sqlite
from doorward.stores.sql.migrate import Migration, SchemaRefused, known, missing
from doorward.stores.sql.sqlite import open_sqlite
from tests.store_contract.children import said, start
from tests.store_contract.stores import Opener

pytestmark = pytest.mark.anyio


def run(path: Path, sql: str, *params: object) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    with connection:
        rows = connection.execute(sql, params).fetchall()
    connection.close()
    return rows


def next_migration(text: str) -> Migration:
    return Migration(len(known("sqlite")) + 1, "later", text, "checksum")


async def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "doorward.db"
    for _ in range(2):
        store = await open_sqlite(path)
        assert await store.ready()
        await store.close()
    own = [(migration.number, migration.name) for migration in known("sqlite")]
    assert own[0] == (1, "first")
    assert run(path, "SELECT number, name FROM schema_migrations ORDER BY number") == own


async def test_processes_that_start_at_once_migrate_once(opener: Opener) -> None:
    children = [start(opener, "open_only", f"p{number}") for number in range(4)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    lines = await asyncio.to_thread(said, *children)
    assert lines == [[f"p{number} True"] for number in range(4)]


async def test_a_newer_schema_is_refused_in_words_that_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "doorward.db"
    newer = (*known("sqlite"), next_migration("CREATE TABLE later (id TEXT)"))
    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "known", lambda engine: newer)
        store = await open_sqlite(path)
        assert await store.ready()
        await store.commit(store.put_meta("kept", "yes"))
        await store.close()
    own = len(known("sqlite"))
    said = rf"schema version {own + 1}, this program knows versions up to {own}.*newer"
    for migrate in (True, False):
        with pytest.raises(SchemaRefused, match=said):
            await open_sqlite(path, migrate=migrate)
    assert run(path, "SELECT value FROM meta WHERE name = 'kept'") == [("yes",)]


async def test_an_older_schema_is_brought_up_to_date_and_keeps_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "doorward.db"
    store = await open_sqlite(path)
    await store.commit(store.put_meta("kept", "yes"))
    await store.close()
    newer = (*known("sqlite"), next_migration("ALTER TABLE meta ADD COLUMN note TEXT"))
    monkeypatch.setattr(sqlite, "known", lambda engine: newer)
    untouched = await open_sqlite(path, migrate=False)
    assert not await untouched.ready()
    assert await untouched.meta("kept") == "yes"
    await untouched.close()
    store = await open_sqlite(path)
    assert (await store.ready(), await store.meta("kept")) == (True, "yes")
    await store.close()
    assert run(path, "SELECT name, note FROM meta") == [("kept", None)]


async def test_a_migration_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "doorward.db"
    await (await open_sqlite(path)).close()
    bad = next_migration("CREATE TABLE later (id TEXT);\nCREATE TABLE meta (id TEXT);")
    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "known", lambda engine: (*known(engine), bad))
        with pytest.raises(StoreUnavailable, match=r"doorward\.db.*table meta already exists"):
            await open_sqlite(path)
    assert run(path, "SELECT name FROM sqlite_master WHERE name = 'later'") == []
    store = await open_sqlite(path)
    assert await store.ready()
    await store.close()


async def test_a_database_made_by_another_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "doorward.db"
    await (await open_sqlite(path)).close()
    run(path, "UPDATE schema_migrations SET checksum = 'other'")
    with pytest.raises(SchemaRefused, match="another text of migration 1"):
        await open_sqlite(path)


async def test_a_fresh_file_without_migrations_is_not_ready(tmp_path: Path) -> None:
    store = await open_sqlite(tmp_path / "doorward.db", migrate=False)
    assert not await store.ready()
    with pytest.raises(StoreUnavailable):
        await store.meta("issuer")
    with pytest.raises(StoreUnavailable):
        await store.commit(store.put_meta("a", "b"))
    await store.close()
    assert run(tmp_path / "doorward.db", "SELECT name FROM sqlite_master") == []


def test_migrations_are_numbered_without_gap(tmp_path: Path) -> None:
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


def test_only_what_is_missing_runs() -> None:
    mine = [Migration(n, f"m{n}", "", f"c{n}") for n in (1, 2, 3)]
    assert missing([], mine, where="x") == mine
    assert missing([(1, "m1", "c1")], mine, where="x") == mine[1:]
    assert missing([(n, f"m{n}", f"c{n}") for n in (1, 2, 3)], mine, where="x") == []
    with pytest.raises(SchemaRefused):
        missing([(n, f"m{n}", f"c{n}") for n in (1, 2, 3, 4)], mine, where="x")
