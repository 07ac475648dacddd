"""Tests that a running server keeps its audit log for the configured number of days, or for ever."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from doorward.adapters.random import SystemRandom
from doorward.storage.sql.open import open_store
from tests.engines import BOTH
from tests.flows.processes import processes
from tests.flows.signing_in import tokens_by_challenge
from tests.storage.samples import DAY, event

ENGINES = BOTH
AGES = (1000, 401, 399, 60, 31, 29, 1)
SECONDS = 20


async def written(database: str) -> None:
    store = await open_store(database)
    for age in AGES:
        line = SystemRandom(lambda: time.time() - age * DAY).new_id("aud")  # noqa: B023 - used at once
        assert await store.commit(store.audit.append(event(id=line, detail={"age": age})))
    await store.close()


async def ages(database: str) -> tuple[int, ...]:
    store = await open_store(database, migrate=False)
    try:
        found = [one.detail.get("age") for one in await store.audit.page(limit=1000)]
        return tuple(age for age in reversed(found) if isinstance(age, int))
    finally:
        await store.close()


@pytest.mark.parametrize(("days", "left"), [(None, 2), (30, 5), (0, 0)])
def test_old_lines_are_deleted_while_sign_ins_continue(
    tmp_path: Path, own_database: str | None, days: int | None, left: int
) -> None:
    database = own_database or str(tmp_path / "doorward.db")
    # the engines may differ only in their number, and here all old lines are from before the first month
    wanted = AGES[left:]
    asyncio.run(written(database))
    sections = {} if days is None else {"audit": {"keep_days": days}}
    with processes(tmp_path, 2, sections=sections, database=own_database) as fleet:
        until = time.monotonic() + SECONDS
        while (found := asyncio.run(ages(database))) != wanted:
            assert time.monotonic() < until, found
            time.sleep(0.2)
        assert tokens_by_challenge(fleet.house.own, "ada@example.com", "openid").body["id_token"]
        time.sleep(1)
        assert asyncio.run(ages(database)) == wanted
        for server in fleet.servers:
            server.stop()
            assert server.troubles() == []
            assert server.unforeseen() == []
