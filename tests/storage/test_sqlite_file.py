"""SQLite file: private permissions, and clear errors for a locked or broken disk."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from pathlib import Path

import pytest

from doorward.core.errors import StoreUnavailable
from doorward.storage.sql.statements import write
from doorward.storage.sqlite import database as sqlite
from doorward.storage.sqlite.database import SqliteDatabase, open_sqlite

pytestmark = pytest.mark.anyio


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_file_and_folder_are_accessible_to_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "deeper" / "doorward.db"
    store = await open_sqlite(path)
    await store.commit(store.put_meta("a", "b"))
    assert [mode(one) for one in (path.parent.parent, path.parent)] == [0o700, 0o700]
    files = sorted(path.parent.iterdir())
    assert {one.name.removeprefix("doorward.db") for one in files} == {"", "-wal", "-shm", "-turn"}
    assert {mode(one) for one in files} == {0o600}
    await store.close()


async def test_the_permissions_of_a_file_readable_by_others_are_corrected(tmp_path: Path) -> None:
    path = tmp_path / "doorward.db"
    path.touch()
    path.chmod(0o644)
    await (await open_sqlite(path, migrate=False)).close()
    assert mode(path) == 0o644
    await (await open_sqlite(path)).close()
    assert mode(path) == 0o600


async def test_memory_is_a_private_file_that_is_removed() -> None:
    one, two = await open_sqlite(":memory:"), await open_sqlite(":memory:")
    assert await one.commit(one.put_meta("a", "b"))
    assert (await one.meta("a"), await two.meta("a")) == ("b", None)
    (place,) = await one._db.all("SELECT file FROM pragma_database_list WHERE name = 'main'", ())
    assert Path(place[0]).exists()
    await one.close()
    await two.close()
    assert not Path(place[0]).parent.exists()


async def test_durability_settings_are_on(tmp_path: Path) -> None:
    store = await open_sqlite(tmp_path / "doorward.db")
    seen = [
        await store._db.apply(
            [write(f"INSERT INTO meta SELECT 'x{name}', {name} FROM pragma_{name}").steps[0]]
        )
        for name in ("synchronous", "foreign_keys", "recursive_triggers", "journal_mode")
    ]
    assert seen == [1, 1, 1, 1]
    found = [
        await store.meta(f"x{n}")
        for n in ("synchronous", "foreign_keys", "recursive_triggers", "journal_mode")
    ]
    assert found == ["2", "1", "1", "wal"]
    await store.close()


async def test_a_database_that_stays_locked_is_unavailable_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.3)
    store = await open_sqlite(tmp_path / "doorward.db")
    rival = sqlite3.connect(tmp_path / "doorward.db", isolation_level=None)
    rival.execute("BEGIN IMMEDIATE")
    outcomes = await asyncio.gather(
        *(store.commit(store.put_meta(f"k{n}", "v")) for n in range(5)), return_exceptions=True
    )
    assert {type(one) for one in outcomes} == {StoreUnavailable}
    assert await store.meta("k0") is None
    assert await store.ready()
    rival.execute("ROLLBACK")
    rival.close()
    assert await store.commit(store.put_meta("k0", "v"))
    assert await store.meta("k0") == "v"
    await store.close()


async def test_a_full_disk_is_unavailable_and_recovers(tmp_path: Path) -> None:
    store = await open_sqlite(tmp_path / "doorward.db")
    assert await store.commit(store.put_meta("before", "v"))
    assert isinstance(store._db, SqliteDatabase)
    connection = store._db._writer._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    big = store.put_meta("big", "x" * 200_000)
    outcomes = await asyncio.gather(
        store.commit(store.put_meta("neighbour", "v")), store.commit(big), return_exceptions=True
    )
    assert [type(one) for one in outcomes] == [StoreUnavailable] * 2
    assert (await store.meta("neighbour"), await store.meta("big")) == (None, None)
    # the next batch has a new connection, for which the disk has its real size
    assert await store.commit(big)
    assert await store.meta("before") == "v"
    await store.close()


async def test_a_file_that_is_not_a_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "doorward.db"
    path.write_bytes(b"this is a letter, not a database " * 100)
    with pytest.raises(StoreUnavailable, match=r"doorward\.db cannot be opened"):
        await open_sqlite(path)
    folder = tmp_path / "folder.db"
    folder.mkdir()
    with pytest.raises(StoreUnavailable):
        await open_sqlite(folder)


async def test_opening_twice_in_one_process_keeps_the_locks(tmp_path: Path) -> None:
    """Closing any descriptor of a file drops the process's locks on it: opening a second store must not touch the file
    itself."""
    path = tmp_path / "doorward.db"
    store = await open_sqlite(path)
    await store.commit(store.put_meta("a", "b"))
    before = Path("/proc/locks").read_text().count(f":{path.stat().st_ino} ")
    second = await open_sqlite(path)
    after = Path("/proc/locks").read_text().count(f":{path.stat().st_ino} ")
    assert after >= before > 0
    await second.close()
    await store.close()
