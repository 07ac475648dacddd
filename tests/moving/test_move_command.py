"""Tests of the messages of `doorward move` on refusal, and of what it never shows."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorward.cli import progress
from tests.cli.conftest import Ended
from tests.waiting import PATIENCE

Run = Callable[..., Ended]
SECRET = "geheim-9f31"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("doorward.db", "doorward.db"), "same database"),
        (("doorward.db", "sqlite:///doorward.db"), "same database"),
        (("nothing.db", "b.db"), "There is no database"),
        (("doorward.toml", "b.db"), "cannot be read as a database"),
        (("empty.db", "b.db"), "no database of Doorward's"),
        (("doorward.db", "env:DOORWARD_NOT_THERE"), "is not set"),
        (("doorward.db", f"mysql://me:{SECRET}@127.0.0.1/x"), "mysql"),
        (("doorward.db", f"postgresql://me:{SECRET}@127.0.0.1:1/x"), "cannot be opened"),
        ((f"postgresql://me:{SECRET}@127.0.0.1:1/x", "b.db"), "127.0.0.1"),
        (("doorward.db", "postgresql://me@127.0.0.1:1/x"), "Start PostgreSQL"),
        (("postgresql://me@127.0.0.1:1/x", "b.db"), "Start PostgreSQL"),
        (("doorward.db", ":memory:"), "forget everyone"),
        (("doorward.db",), "TARGET is missing"),
    ],
)
def test_an_impossible_move_is_refused_in_words_and_changes_nothing(
    stocked: Run, house: Path, arguments: tuple[str, ...], said: str
) -> None:
    (house / "empty.db").touch()
    before = {path.name for path in house.iterdir()}
    ended = stocked("move", *arguments)
    assert ended.status in {1, 2}
    assert said in ended.err
    assert SECRET not in ended.err + ended.out
    assert "Traceback" not in ended.err
    left = {path.name for path in house.iterdir()} - before
    assert not [name for name in left if not name.startswith("doorward.db")], left
    # it is still served and written
    assert stocked("role", "create", "after").status == 0


def test_a_moved_database_is_refused_by_every_command_and_can_be_released(stocked: Run, house: Path) -> None:
    moved = stocked("move", "doorward.db", "b.db", "--json")
    assert moved.status == 0, moved.out
    assert moved.document["target"] == str(house / "b.db")
    for command in (("user", "list"), ("serve",), ("keys", "list"), ("role", "create", "late")):
        refused = stocked(*command)
        assert refused.status == 1
        assert f"has moved to {house / 'b.db'}" in refused.err
    doctor = stocked("doctor")
    assert "has moved to" in doctor.out
    assert stocked("move", "--release", "doorward.db").status == 1, "no terminal to ask on"
    assert stocked("move", "--release", "doorward.db", "--yes", "--json").document == {"released": True}
    assert stocked("move", "--release", "doorward.db", "--yes", "--json").document == {"released": False}
    assert stocked("role", "create", "late").status == 0
    listed = stocked("user", "list", "--json")
    assert [one["email"] for one in listed.document] == ["ada@example.com"]


def test_the_place_of_the_secret_key_is_reported(stocked: Run, house: Path) -> None:
    (house / "elsewhere").mkdir()
    moved = stocked("move", "doorward.db", "elsewhere/b.db")
    assert moved.status == 0
    assert f"The secret key stays in {house / 'doorward.key'}" in moved.err.replace("\n", "")


def test_a_terminal_shows_the_progress_and_a_pipe_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import pty
    import threading

    master, slave = pty.openpty()
    seen: list[bytes] = []

    def read() -> None:
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:
                return
            if not data:
                return
            seen.append(data)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()

    def work(stream: Any, *, quiet: bool) -> None:
        monkeypatch.setattr(sys, "stderr", stream)
        with progress.Bar(quiet=quiet) as bar:
            bar.begin("copy", 3000)
            for _ in range(30):
                bar.step("accounts", 100)

    with os.fdopen(slave, "w") as terminal:
        work(terminal, quiet=True)
        assert not b"".join(seen)
        work(terminal, quiet=False)
        terminal.flush()
    reader.join(PATIENCE)
    shown = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", b"".join(seen))
    assert b"copy" in shown
    assert b"3000/3000" in shown
    os.close(master)
    with Path(os.devnull).open("w") as nobody:
        work(nobody, quiet=False)
