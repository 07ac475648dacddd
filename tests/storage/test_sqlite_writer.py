"""The writing thread of SQLite: commits that are ready share a transaction, and none waits for what does not come."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from doorward.storage.sql.statements import Step
from doorward.storage.sqlite import writer as writing
from doorward.storage.sqlite.writer import Writer
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio


class Gate:
    """A turnstile that counts the transactions, and holds them up while it is shut."""

    def __init__(self) -> None:
        self.begun = 0
        self.open = threading.Event()
        self.open.set()

    def begin(self, connection: sqlite3.Connection) -> None:
        self.begun += 1
        assert self.open.wait(PATIENCE)
        connection.execute("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def writer(gate: Gate, tmp_path: Path) -> Iterator[Writer]:
    def connect() -> sqlite3.Connection:
        made = sqlite3.connect(tmp_path / "d.db", isolation_level=None, check_same_thread=False)
        made.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER)")
        return made

    made = Writer(connect, cast("Any", gate))
    yield made
    asyncio.run(made.close())


def step(number: int) -> tuple[Step, ...]:
    return (("INSERT INTO t VALUES (?)", (number,), None),)


async def one_a_turn(writer: Writer, count: int) -> None:
    """Each commit begins one turn of the event loop after the one before."""

    async def later(turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        assert await writer.apply(step(turns)) == 1

    await asyncio.gather(*(later(turns) for turns in range(count)))


async def test_commits_of_turns_in_a_row_share_a_transaction(
    writer: Writer, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_PATIENCE", PATIENCE)
    await one_a_turn(writer, 6)
    assert gate.begun == 1


async def without_end(writer: Writer, gate: Gate) -> None:
    """A commit in each turn of the event loop, until the thread begins a transaction."""
    commits: list[asyncio.Task[int]] = []
    async with asyncio.timeout(PATIENCE):
        while not gate.begun:
            commits.append(asyncio.create_task(writer.apply(step(len(commits)))))
            await asyncio.sleep(0)
        assert set(await asyncio.gather(*commits)) == {1}


async def test_enough_commits_do_not_wait_for_more(
    writer: Writer, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_PATIENCE", 2 * PATIENCE)
    await without_end(writer, gate)


async def test_a_few_commits_wait_for_more_only_for_a_time(
    writer: Writer, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_ENOUGH", 10**9)
    await without_end(writer, gate)


async def test_a_few_that_came_during_a_flush_are_written_after_it(writer: Writer, gate: Gate) -> None:
    gate.open.clear()
    first = asyncio.create_task(writer.apply(step(1)))
    while not gate.begun:
        await asyncio.sleep(0)
    others = [asyncio.create_task(writer.apply(step(number))) for number in (2, 3)]
    await asyncio.sleep(0)
    gate.open.set()
    assert await asyncio.gather(first, *others) == [1, 1, 1]
    assert gate.begun == 2


def test_what_a_closed_loop_has_left_holds_nobody_up(writer: Writer, gate: Gate) -> None:
    async def leave_two() -> None:
        gate.open.clear()
        left = [asyncio.create_task(writer.apply(step(1)))]
        while not gate.begun:
            await asyncio.sleep(0)
        left.append(asyncio.create_task(writer.apply(step(2))))
        await asyncio.sleep(0)

    asyncio.run(leave_two())
    gate.open.set()

    async def another() -> int:
        async with asyncio.timeout(PATIENCE):
            return await writer.apply(step(3))

    assert asyncio.run(another()) == 1
