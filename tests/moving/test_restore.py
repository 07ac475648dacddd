"""Tests of a restore: the database equals the backup, appears complete or not at all, and is never mistaken for the previous
one."""

from __future__ import annotations

import asyncio
import io
import resource
import signal
import sqlite3
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from doorward.adapters.keys.wrap_local import LocalWrapper
from doorward.ops.backup import file as backup_file
from doorward.ops.backup.file import BackupReader, BackupWriter
from doorward.storage.postgres.database import open_postgres
from doorward.storage.sql.migrate import known
from doorward.storage.sqlite.file import prepare
from tests.cli.conftest import Ended, MakeOnce
from tests.flows.settings import environment
from tests.moving.crowd import STRONG, crowd, fill, sqlite_store
from tests.waiting import PATIENCE

Run = Callable[..., Ended]
PASSPHRASE = "apple brick candle dune"


def tables(ended: Ended) -> list[dict[str, Any]]:
    """The checksums that a command reported."""
    assert ended.status == 0, ended.out
    return ended.document["tables"]


def one(path: Path, sql: str) -> Any:
    """One value of a SQLite file."""
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchone()[0]


@pytest.fixture
def backed_up(stocked: Run, house: Path, make_once: MakeOnce) -> Run:
    """A house with a crowd and a signing key, and `a.bak`, which opens with its key or the passphrase."""

    def make() -> None:
        fill(house / "doorward.db", crowd(), 120)
        assert stocked("keys", "list").status == 0
        (house / "pass").write_text(PASSPHRASE + "\n")
        tables(stocked("backup", "a.bak", "--passphrase-file", "pass", "--json"))

    make_once("backed-up", make)
    return stocked


def test_the_restored_database_equals_the_backup(backed_up: Run, house: Path) -> None:
    wanted = tables(backed_up("backup", "--verify", "a.bak", "--json"))
    assert tables(backed_up("restore", "a.bak", "--into", "b.db", "--json")) == wanted
    assert (house / "b.db").stat().st_mode & 0o777 == 0o600
    assert not list(house.glob("b.db.restoring*"))
    assert one(house / "b.db", "SELECT COUNT(*) FROM accounts") == 121
    assert one(house / "b.db", "SELECT kind FROM audit ORDER BY id DESC LIMIT 1") == "database.restored"
    # the backup contains its own audit line
    assert one(house / "b.db", "SELECT COUNT(*) FROM audit WHERE kind = 'database.backed_up'") == 1
    (house / "doorward.toml").write_text(
        'issuer = "http://127.0.0.1:9000"\ndatabase = "b.db"\ndevelopment = true\n'
    )
    listed = backed_up("user", "show", "ada@example.com", "--json")
    assert listed.document["email"] == "ada@example.com"


def test_the_restored_database_is_never_mistaken_for_the_previous_one(backed_up: Run, house: Path) -> None:
    """The feed has another name, so that APIs load it completely; the counters continue above those of both databases."""

    async def use() -> None:
        async with sqlite_store(house / "doorward.db") as store:
            await store.commit(store.put_meta("feed", "before"))

    asyncio.run(use())
    with closing(sqlite3.connect(house / "doorward.db")) as db:
        db.execute("UPDATE counters SET value = value + 70")
        db.commit()
    before = one(house / "doorward.db", "SELECT value FROM counters WHERE name = 'registry'")
    tables(backed_up("restore", "a.bak", "--replace", "--yes", "--json"))
    assert one(house / "doorward.db", "SELECT value FROM meta WHERE name = 'feed'") not in {"", "before"}
    assert one(house / "doorward.db", "SELECT value FROM counters WHERE name = 'registry'") > before
    assert one(house / "doorward.db", "SELECT value FROM counters WHERE name = 'revocations'") >= 70
    assert one(house / "doorward.db.replaced", "SELECT value FROM meta WHERE name = 'feed'") == "before"


def test_a_database_in_use_is_not_replaced(backed_up: Run, house: Path) -> None:
    refused = backed_up("restore", "a.bak")
    assert refused.status == 1
    assert "is not empty" in refused.err
    asked = backed_up("restore", "a.bak", "--replace")
    assert "--yes" in asked.err
    with closing(sqlite3.connect(house / "doorward.db")) as server:
        server.execute("SELECT COUNT(*) FROM accounts").fetchone()
        refused = backed_up("restore", "a.bak", "--replace", "--yes")
        assert refused.status == 1
        assert "is in use" in refused.err
        assert server.execute("SELECT COUNT(*) FROM accounts").fetchone()[0] == 121


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_an_incomplete_backup_leaves_nothing_behind(backed_up: Run, house: Path, share: float) -> None:
    data = (house / "a.bak").read_bytes()
    (house / "cut.bak").write_bytes(data[: int(len(data) * share)])
    ended = backed_up("restore", "cut.bak", "--into", "b.db")
    assert ended.status == 1, ended.out
    assert not list(house.glob("b.db*"))
    before = one(house / "doorward.db", "SELECT COUNT(*) FROM audit")
    assert backed_up("restore", "cut.bak", "--replace", "--yes").status == 1
    assert one(house / "doorward.db", "SELECT COUNT(*) FROM audit") == before
    assert backed_up("user", "list").status == 0


def test_with_the_passphrase_alone_a_new_machine_becomes_the_server(backed_up: Run, house: Path) -> None:
    """The new machine has its own key; the root secret is wrapped under that as well, so encrypted values can be read."""
    new = house / "new"
    new.mkdir()
    (new / "doorward.toml").write_text('issuer = "http://127.0.0.1:9000"\ndevelopment = true\n')
    config = str(new / "doorward.toml")
    refused = backed_up("restore", "a.bak", "--config", config)
    assert refused.status == 1
    assert not (new / "doorward.db").exists()
    tables(backed_up("restore", "a.bak", "--config", config, "--passphrase-file", "pass", "--json"))
    assert (new / "doorward.key").read_bytes() != (house / "doorward.key").read_bytes()
    wrappings = backed_up("keys", "wrappings", "--config", config, "--json")
    assert wrappings.status == 0, wrappings.out
    # the new key opens it alone: the sealed signing keys can be read
    rotated = backed_up("keys", "rotate", "--force", "--config", config)
    assert rotated.status in {0, 1}
    assert "another" not in rotated.err


def test_without_the_passphrase_another_key_changes_nothing(backed_up: Run, house: Path) -> None:
    assert backed_up("backup", "plain.bak").status == 0
    (house / "doorward.key").write_bytes(b"A" * 43 + b"=\n")
    refused = backed_up("restore", "plain.bak", "--replace", "--yes")
    assert refused.status == 1
    assert "opens with key:" in refused.err
    assert one(house / "doorward.db", "SELECT COUNT(*) FROM accounts") == 121


def test_end_everything_ends_every_session_and_token(backed_up: Run, house: Path) -> None:
    tables(backed_up("restore", "a.bak", "--into", "b.db", "--end-everything", "--json"))
    path = house / "b.db"
    assert one(path, "SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL") == 0
    assert one(path, "SELECT COUNT(*) FROM grants WHERE ended_at IS NULL") == 0
    assert one(path, "SELECT COUNT(*) FROM refresh_tokens") == 0
    assert one(path, "SELECT COUNT(*) FROM signing_keys WHERE state <> 'revoked'") == 0
    assert one(path, "SELECT COUNT(*) FROM accounts") == 121
    assert one(path, "SELECT COUNT(*) FROM factors") == 240 + 120 // STRONG
    assert one(path, "SELECT COUNT(*) FROM passkeys") == 120 // STRONG
    for place, live in ((house / "doorward.db", 120 // STRONG), (path, 0)):
        assert one(place, "SELECT COUNT(*) FROM api_keys WHERE ended_at IS NULL") == live
    assert one(path, "SELECT COUNT(*) FROM api_keys WHERE end_reason = 'restored'") == 120 // STRONG
    for name in ("remembered_devices", "sent_codes"):
        assert one(house / "doorward.db", f"SELECT COUNT(*) FROM {name}") == 120 // STRONG
        assert one(path, f"SELECT COUNT(*) FROM {name}") == 0, name


def test_a_newer_backup_is_refused_and_an_older_one_brought_up_to_date(
    backed_up: Run, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_schema(number: int) -> bytes:
        """The same rows, as a program of another schema would have written them."""
        reader = BackupReader(io.BytesIO((house / "a.bak").read_bytes()))
        wrapper = LocalWrapper(b64decode((house / "doorward.key").read_bytes()))
        key = asyncio.run(wrapper.unwrap(f"backup {reader.head.id}", reader.head.locks[0].wrapped))
        out = io.BytesIO()
        writer = BackupWriter(out, replace(reader.head, schema=number), key)
        for frame in reader.frames(key):
            writer.add(frame)
        writer.finish()
        return out.getvalue()

    (house / "newer.bak").write_bytes(with_schema(9000))
    refused = backed_up("restore", "newer.bak", "--into", "b.db")
    assert refused.status == 1
    assert "newer Doorward" in refused.err
    assert not (house / "b.db").exists()
    # a schema whose tables differ from the backup's cannot hold it
    (house / "older.bak").write_bytes(with_schema(1))
    refused = backed_up("restore", "older.bak", "--into", "b.db")
    assert refused.status == 1
    assert not (house / "b.db").exists()
    assert backup_file.MAGIC in (house / "older.bak").read_bytes()


def test_a_full_disk_gives_one_sentence_and_leaves_nothing(backed_up: Run, house: Path) -> None:
    """Files may not grow beyond some kilobytes in these processes, which fails like a full disk."""

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "doorward", *arguments],
            cwd=house,
            env=environment(),
            capture_output=True,
            text=True,
            preexec_fn=small,
            check=False,
        )

    fill(house / "doorward.db", crowd(password_hash="$argon2id$" + "x" * 2000), 500, first=120)
    tables(backed_up("backup", "big.bak", "--json"))
    ended = run("restore", "big.bak", "--into", "b.db")
    assert ended.returncode == 1, ended.stdout
    assert "Traceback" not in ended.stderr
    assert not list(house.glob("b.db*"))
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "doorward", "backup", "-"]
        piped = subprocess.run(
            command, cwd=house, env=environment(), stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert piped.returncode == 1
    assert b"the disk is full" in piped.stderr


def test_backup_and_restore_work_on_postgresql_as_on_sqlite(
    backed_up: Run, house: Path, postgres_url: str
) -> None:
    """From a file into PostgreSQL, backed up there, replaced there, and back into a file."""
    wanted = tables(backed_up("backup", "--verify", "a.bak", "--json"))
    assert tables(backed_up("restore", "a.bak", "--into", postgres_url, "--json")) == wanted
    refused = backed_up("restore", "a.bak", "--into", postgres_url)
    assert "is not empty" in refused.err
    (house / "pg.toml").write_text(
        f'issuer = "http://127.0.0.1:9000"\ndatabase = "{postgres_url}"\ndevelopment = true\n'
        '[keys]\nsecret_key_file = "doorward.key"\n'
    )
    there = tables(backed_up("backup", "pg.bak", "--config", "pg.toml", "--json"))
    sums = {row["table"]: row for row in there}
    for row in wanted:
        if row["table"] not in {"audit", "counters", "meta"}:
            assert sums[row["table"]] == row, "the same rows have the same checksum on every engine"

    async def held() -> None:
        store = await open_postgres(postgres_url)
        try:
            assert await store.ready()
            refused = await asyncio.to_thread(
                backed_up, "restore", "pg.bak", "--config", "pg.toml", "--replace", "--yes"
            )
            assert "others are connected" in refused.err
        finally:
            await store.close()

    asyncio.run(held())
    replaced = backed_up("restore", "pg.bak", "--config", "pg.toml", "--replace", "--yes", "--json")
    assert tables(replaced) == there
    cut = (house / "pg.bak").read_bytes()[:-40]
    (house / "cut.bak").write_bytes(cut)
    assert backed_up("restore", "cut.bak", "--config", "pg.toml", "--replace", "--yes").status == 1
    assert backed_up("user", "list", "--config", "pg.toml", "--json").status == 0
    assert tables(backed_up("restore", "pg.bak", "--config", "pg.toml", "--into", "c.db", "--json")) == there


def test_a_backup_of_an_older_schema_is_migrated(stocked: Run, house: Path) -> None:
    """A backup made before an update must be usable after it."""
    newest = known("sqlite")
    assert len(newest) > 2
    old = house / "old.db"
    prepare(old, newest[:2], migrate=True)
    (house / "old.toml").write_text(
        'issuer = "http://127.0.0.1:9000"\ndatabase = "old.db"\ndevelopment = true\n'
    )
    made = stocked("backup", "old.bak", "--config", "old.toml", "--json")
    assert made.status == 0, made.out
    assert made.document["facts"]["schema"] == 2
    assert one(old, "SELECT COUNT(*) FROM schema_migrations") == 2, "a backup changes no schema"
    tables(stocked("restore", "old.bak", "--into", "new.db", "--json"))
    assert one(house / "new.db", "SELECT COUNT(*) FROM schema_migrations") == len(newest)


def test_a_killed_restore_is_simply_run_again(backed_up: Run, house: Path) -> None:
    """It had not yet renamed its draft; the leftover file does no harm."""
    restorer = subprocess.Popen(
        [sys.executable, "-c", KILLED_IN_THE_MIDDLE, "restore", "a.bak", "--into", "b.db"],
        cwd=house,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    _, err = restorer.communicate(timeout=PATIENCE)
    assert restorer.returncode == -signal.SIGKILL, err
    assert not (house / "b.db").exists()
    assert (house / "b.db.restoring").exists()
    tables(backed_up("restore", "a.bak", "--into", "b.db", "--json"))
    assert [path.name for path in house.glob("b.db*") if "turn" not in path.name] == ["b.db"]


# the real command, killed at the moment at which the compared draft would be put into place
KILLED_IN_THE_MIDDLE = """
import os, signal, sys
from doorward.storage.copy import fresh
fresh._as_one_file = lambda path: os.kill(os.getpid(), signal.SIGKILL)
from doorward.__main__ import main
sys.exit(main())
"""
