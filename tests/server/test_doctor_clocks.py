"""Tests of the doctor's check for a server whose clock is or was ahead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.signing import SnapshotSigner
from doorward.cluster.config_snapshot import ConfigSnapshotWatcher
from doorward.core.model.audit import AuditEvent
from doorward.ops.doctor.checks.clocks import servers
from doorward.storage.sql.store import Store
from doorward.storage.sqlite.database import open_sqlite
from tests.manual_clock import ManualClock

pytestmark = pytest.mark.anyio
DAY = 86_400


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_sqlite(tmp_path / "a.db")
    yield opened
    await opened.close()


def node(store: Store) -> ConfigSnapshotWatcher:
    return ConfigSnapshotWatcher(
        store=store, signer=SnapshotSigner(issuer="https://a.example", sealer=KeyedSealer(b"k" * 32))
    )


def at(now: int, ahead: int = 0) -> ManualClock:
    """The clock of a process that is ahead by so many seconds."""
    clock = ManualClock()
    clock.time = now + ahead
    return clock


async def test_a_process_that_stays_ahead_is_found_until_it_is_reloaded(store: Store) -> None:
    now = int(time.time())
    assert (await servers(store, now)).ok
    right, wrong = node(store), node(store)
    await right.join("nod_right", at(now))
    assert (await servers(store, now)).said == "none is ahead of this machine's"
    await wrong.join("nod_wrong", at(now, DAY))
    found = await servers(store, now)
    assert not found.ok
    assert "1 day, 0:00:0" in found.said
    assert "reload" in found.fix
    await wrong.leave()
    assert (await servers(store, now)).ok


async def test_the_time_of_a_process_that_died_ahead_is_ignored_after_a_day(store: Store) -> None:
    now, right, dead = int(time.time()), node(store), node(store)
    await right.join("nod_right", at(now))
    await dead.join("nod_dead", at(now, DAY))
    looking = asyncio.create_task(right.watch())
    await right.forget_the_dead()
    assert (await servers(store, int(time.time()))).ok
    assert (await store.nodes.look("nod_right"))[1] is not None
    looking.cancel()


async def test_an_audit_log_from_the_future_is_reported_without_a_fix(store: Store) -> None:
    now = int(time.time())
    line = AuditEvent(id="aud_1", at=now + DAY, kind="session.started")
    await store.commit(store.audit.append(line))
    found = await servers(store, now)
    assert found.ok
    assert "1 day" in found.said
    assert (await servers(store, now + DAY)).fix == ""
