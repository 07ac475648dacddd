"""Tests of a backup: it is complete, opens only with its key, and every change to it is detected."""

from __future__ import annotations

import asyncio
import io
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from doorward.adapters.keys.wrap_local import LocalWrapper
from doorward.core.model.secret import Secret
from doorward.ops.backup.file import BackupHeader, BackupProblem, BackupReader, BackupWriter
from doorward.ops.backup.locks import lock_by_key, lock_by_passphrase, new_data_key, open_lock
from tests.cli.conftest import Ended
from tests.moving.crowd import STRONG, crowd, fill, settle, sqlite_store

Run = Callable[..., Ended]
pytestmark = pytest.mark.anyio
KEY = bytes(range(32))


def written(*payloads: bytes, key: bytes = KEY) -> bytes:
    """A backup of these frames."""
    out = io.BytesIO()
    writer = BackupWriter(out, BackupHeader("bak_1", 1_800_000_000, "0.1", 1, "https://a.example", ()), key)
    for payload in payloads:
        writer.add(payload)
    writer.finish()
    assert writer.size == len(out.getvalue())
    return out.getvalue()


def read(data: bytes, key: bytes = KEY) -> list[bytes]:
    """Its frames."""
    return list(BackupReader(io.BytesIO(data)).frames(key))


def test_written_frames_are_read_back() -> None:
    assert read(written(b"one", b"", b"three" * 1000)) == [b"one", b"", b"three" * 1000]


def test_every_changed_byte_is_detected() -> None:
    data = written(b"one", b"two")
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(BackupProblem):
            read(bytes(changed))


def test_a_truncated_backup_is_detected() -> None:
    data = written(b"one", b"two", b"three")
    for length in range(len(data)):
        with pytest.raises(BackupProblem):
            read(data[:length])


def test_moved_doubled_or_added_frames_are_detected() -> None:
    data = written(b"one", b"two", b"end")
    reader = BackupReader(io.BytesIO(data))
    start = reader.size
    frames: list[bytes] = []
    rest = data[start:]
    while rest:
        size = 4 + int.from_bytes(rest[:4], "big")
        frames.append(rest[:size])
        rest = rest[size:]
    one, two, end = frames
    for order in (
        (two, one, end),
        (one, one, two, end),
        (one, end),
        (one, two, end, end),
        (one, two, end, one),
    ):
        with pytest.raises(BackupProblem):
            read(data[:start] + b"".join(order))
    # a frame of another backup under the same key is rejected too
    other = written(b"one", b"two", b"end!")
    assert other[:start] == data[:start]


def test_another_key_opens_nothing() -> None:
    with pytest.raises(BackupProblem, match="another key"):
        read(written(b"one"), key=bytes(32))


@pytest.mark.parametrize(
    "data", [b"", b"DOORWARD", b"x" * 100, b"DOORWARD BACKUP 1\n\xff\xff\xff\xff" + b"{" * 100]
)
def test_a_file_that_is_no_backup_gives_one_sentence(data: bytes) -> None:
    with pytest.raises(BackupProblem):
        read(data)


async def test_a_backup_opens_with_the_servers_key_or_the_passphrase_and_with_nothing_else() -> None:
    data_key = new_data_key()
    wrapper, passphrase = LocalWrapper(KEY), Secret("apple brick candle dune")
    locks = (await lock_by_key(wrapper, "bak_1", data_key), lock_by_passphrase(passphrase, "bak_1", data_key))
    head = BackupHeader("bak_1", 1, "0.1", 1, "https://a.example", locks)
    assert await open_lock(head, wrapper, None) == data_key
    assert await open_lock(head, None, passphrase) == data_key
    with pytest.raises(BackupProblem, match="not the passphrase"):
        await open_lock(head, wrapper, Secret("apple brick candle dunE"))
    with pytest.raises(BackupProblem) as refused:
        await open_lock(head, LocalWrapper(bytes(32)), None)
    assert wrapper.id in refused.value.error
    assert LocalWrapper(bytes(32)).id in refused.value.error
    moved = BackupHeader("bak_2", 1, "0.1", 1, "https://a.example", locks)
    with pytest.raises(BackupProblem):
        await open_lock(moved, wrapper, None)
    with pytest.raises(BackupProblem, match="shorter"):
        lock_by_passphrase(Secret("short"), "bak_1", data_key)


def test_a_passphrase_that_would_take_a_terabyte_is_not_tried() -> None:
    lock = lock_by_passphrase(Secret("apple brick candle dune"), "bak_1", KEY)
    from msgspec.structs import replace

    head = BackupHeader("bak_1", 1, "0.1", 1, "https://a.example", (replace(lock, memory=1 << 30),))
    with pytest.raises(BackupProblem, match="damaged"):
        asyncio.run(open_lock(head, None, Secret("apple brick candle dune")))


def test_a_backup_is_one_moment_while_others_write(stocked: Run, house: Path) -> None:
    """A backup is one moment of the database, though other processes go on writing."""
    fill(house / "doorward.db", crowd(), 9000)
    import threading

    stop = threading.Event()

    def go_on() -> None:
        async def write() -> None:
            number = 9000
            async with sqlite_store(house / "doorward.db") as store:
                while not stop.is_set():
                    await settle(store, crowd(), number, number + 10)
                    number += 10

        asyncio.run(write())

    busy = threading.Thread(target=go_on)
    busy.start()
    try:
        ended = stocked("backup", "a.bak", "--json")
    finally:
        stop.set()
        busy.join()
    assert ended.status == 0, ended.out
    rows = {one["table"]: one["rows"] for one in ended.document["tables"]}
    assert rows["accounts"] >= 9001
    people = rows["accounts"] - 1
    assert (rows["sessions"], rows["grants"], rows["refresh_tokens"]) == (people, people, people)
    assert rows["factors"] == 2 * people + rows["passkeys"]
    for table in (
        "passkeys",
        "sent_codes",
        "factor_demands",
        "factor_failures",
        "remembered_devices",
        "api_keys",
    ):
        assert rows[table] == -(-people // STRONG), table
    with closing(sqlite3.connect(house / "doorward.db")) as db:
        assert db.execute("SELECT COUNT(*) FROM accounts").fetchone()[0] > rows["accounts"]


def test_a_backup_holds_no_secret_in_clear_and_only_its_owner_can_read_it(stocked: Run, house: Path) -> None:
    ended = stocked("backup", "a.bak", "--json")
    assert ended.status == 0, ended.out
    data = (house / "a.bak").read_bytes()
    assert (house / "a.bak").stat().st_mode & 0o777 == 0o600
    assert b"ada@example.com" not in data
    assert (house / "doorward.key").read_bytes().strip() not in data
    assert not list(house.glob("*.part"))
    again = stocked("backup", "a.bak")
    assert again.status == 1
    assert "is there already" in again.err
    checked = stocked("backup", "--verify", "a.bak", "--json")
    assert checked.document["tables"] == ended.document["tables"]


def test_a_backup_is_never_written_through_a_planted_file(stocked: Run, house: Path) -> None:
    """Where others may write too, a file at a predictable name may be theirs, or a link elsewhere."""
    (house / "precious").write_text("mine")
    (house / "a.bak.part").symlink_to(house / "precious")
    (house / "b.bak.part").write_text("theirs")
    (house / "b.bak.part").chmod(0o666)
    assert stocked("backup", "a.bak").status == 0
    assert (house / "precious").read_text() == "mine"
    assert not (house / "a.bak").is_symlink()
    assert stocked("backup", "b.bak").status == 0
    assert (house / "b.bak.part").read_text() == "theirs"
    assert (house / "b.bak").stat().st_mode & 0o777 == 0o600


def test_a_backup_made_meanwhile_under_the_same_name_is_kept(tmp_path: Path) -> None:
    from doorward.core.errors import OperatorError
    from doorward.ops.backup.backup import output

    place = tmp_path / "a.bak"

    def two_at_once() -> None:
        with output(place) as first:
            first.write(b"first")
            with output(place) as second:
                second.write(b"second")

    with pytest.raises(OperatorError, match="meanwhile"):
        two_at_once()
    assert place.read_bytes() == b"second"
    assert [path.name for path in tmp_path.iterdir()] == ["a.bak"]


def test_mistakes_with_backups_are_reported_with_their_fix(stocked: Run, house: Path) -> None:
    assert stocked("backup", "a.bak").status == 0
    (house / "pass").write_text("apple brick candle dune\n")
    told = stocked("backup", "--verify", "a.bak", "--passphrase-file", "pass")
    assert "without a passphrase" in told.err
    (house / "cut.bak").write_bytes((house / "a.bak").read_bytes()[:-7])
    assert "cut short" in stocked("backup", "--verify", "cut.bak").err
    (house / "doorward.key").rename(house / "away")
    told = stocked("backup", "--verify", "a.bak")
    assert told.status == 1
    assert "doorward.key" in told.err
    assert "Put a copy of that key there" in told.err
    assert "openssl" not in told.err
    assert "openssl" not in stocked("restore", "a.bak", "--into", "b.db").err
    assert "this database needs key:" in stocked("backup", "b.bak").err
    (house / "doorward.key").write_bytes(b"A" * 43 + b"=\n")
    told = stocked("backup", "--verify", "a.bak")
    assert "opens with key:" in told.err
    assert "the key here is key:" in told.err
    told = stocked("backup", "b.bak")
    assert told.status == 1
    assert "wrapped under another key" in told.err
    assert not (house / "b.bak").exists()
    assert stocked("backup", "--verify", "nothing.bak").status == 1
    assert stocked("restore", "nothing.bak").status == 1
