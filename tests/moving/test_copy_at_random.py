"""Tests of a move with random interruptions and random changes between tries: in the end the copy equals the source.

A move compares both sides before it reports success, so the tests show that it succeeds at all; each try continues from the one
before, so success is no accident.
"""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from doorward.storage.copy.move import move
from doorward.storage.copy.postgres_side import open_postgres_side
from doorward.storage.copy.side import Side
from doorward.storage.copy.sqlite_side import open_sqlite_side
from doorward.storage.postgres.database import open_postgres
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.sql.store import Store
from tests.moving.crowd import Crowd, crowd, settle, sqlite_store
from tests.moving.test_copy_sqlite import Steps

pytestmark = pytest.mark.anyio
PEOPLE = 400


async def disturb(store: Store, path: Path, some: Crowd, rng: random.Random, newcomers: int) -> int:
    """Changes by a server between two tries: accounts are added and deleted, addresses change owner, rows change in place."""
    await settle(store, some, newcomers, newcomers + rng.randrange(40))
    with closing(sqlite3.connect(path)) as db:
        ids = [row[0] for row in db.execute("SELECT id FROM accounts ORDER BY id")]
        rng.shuffle(ids)
        db.execute("PRAGMA foreign_keys = ON")
        db.executemany("DELETE FROM accounts WHERE id = ?", [(one,) for one in ids[:15]])
        # four people pass their addresses on in a circle
        circle = ids[15:19]
        emails = [
            db.execute("SELECT email FROM accounts WHERE id = ?", (one,)).fetchone()[0] for one in circle
        ]
        for number, one in enumerate(circle):
            db.execute("UPDATE accounts SET email = ? WHERE id = ?", (f"between{number}", one))
        for one, email in zip(circle, [*emails[1:], emails[0]], strict=True):
            db.execute("UPDATE accounts SET email = ? WHERE id = ?", (email, one))
        db.execute("UPDATE refresh_tokens SET generation = generation + 1 WHERE abs(random()) % 5 = 0")
        db.execute("UPDATE sessions SET seen_at = seen_at + 1, ended_at = 5 WHERE abs(random()) % 9 = 0")
        db.execute("DELETE FROM grants WHERE abs(random()) % 11 = 0")
        db.execute("UPDATE counters SET value = value + 1")
        db.commit()
    return newcomers + 40


async def tried_until_done(source: Side, target: Side, store: Store, path: Path, rng: random.Random) -> int:
    """Tries that are interrupted later and later, with changes between them; returns their number."""
    some = crowd()
    people = PEOPLE
    for number in range(1, 60):
        steps = Steps(stop_after=rng.randrange(number * 20))
        try:
            did = await move(
                source, target, owner=f"try {number}", progress=steps, size=rng.choice((7, 50, 300))
            )
        except KeyboardInterrupt:
            people = await disturb(store, path, some, rng, people)
            continue
        assert did.kept + did.copied == did.rows
        return number
    raise AssertionError("the move never finished")


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 20))]
)
async def test_a_move_from_file_to_file_succeeds_after_interruptions(tmp_path: Path, seed: int) -> None:
    here, there = tmp_path / "a.db", tmp_path / "b.db"
    async with sqlite_store(there):
        pass
    async with sqlite_store(here) as store:
        await settle(store, crowd(), 0, PEOPLE)
        source, target = await open_sqlite_side(here), await open_sqlite_side(there)
        assert await tried_until_done(source, target, store, here, random.Random(seed)) > 1
        await source.aclose()
        await target.aclose()
    async with sqlite_store(there) as store:
        assert await store.ready()


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 5))])
async def test_a_move_from_file_to_postgresql_succeeds_after_interruptions(
    tmp_path: Path, postgres_url: str, seed: int
) -> None:
    here = tmp_path / "a.db"
    away = await open_postgres(postgres_url)
    try:
        async with sqlite_store(here) as store:
            await settle(store, crowd(), 0, PEOPLE)
            source = await open_sqlite_side(here)
            target = await open_postgres_side(postgres_url, PostgresOptions())
            assert await tried_until_done(source, target, store, here, random.Random(seed)) > 1
            await source.aclose()
            await target.aclose()
        assert await away.ready()
    finally:
        await away.close()
