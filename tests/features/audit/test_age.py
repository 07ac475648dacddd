"""Age: old lines go, what is left verifies, and nobody can pass a shortened log off as an aged one, on both stores."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from doorward.adapters.random import SystemRandom
from doorward.core.model.audit_filter import AuditFilter
from tests.engines import BOTH
from tests.features.audit.chained import Chained, disarm, opened
from tests.storage.samples import DAY, event

pytestmark = pytest.mark.anyio
ENGINES = BOTH
KEEP = 400 * DAY


@pytest.fixture
async def log(own_database: str | None, tmp_path: Path) -> AsyncIterator[Chained]:
    async with opened(own_database, tmp_path) as made:
        made.clock.time = int(time.time())
        yield made


async def aged(log: Chained, *days: float) -> None:
    """Lines of so many days ago, sealed in this order."""
    for day in days:
        line = SystemRandom(lambda day=day: time.time() - day * DAY).new_id("aud")
        at = log.clock.time - int(day * DAY)
        assert await log.store.commit(log.store.audit.append(event(id=line, at=at), salt=b"s" * 16))
        await log.sealer.catch_up()


async def pruned(log: Chained) -> None:
    """As the sweep of a server does it."""
    for _ in range(20):
        gone = await log.sealer.prune(log.clock.time, KEEP)
        if gone + await log.store.audit.prune(log.clock.time, KEEP) == 0:
            return
    raise AssertionError("the sweep does not end")


@pytest.mark.requirement(93)
async def test_what_is_left_verifies_and_old_lines_leave_nothing_behind(log: Chained) -> None:
    # a line that was sealed late stands between younger ones
    await aged(log, 900, 800, 500, 10, 450, 5, 1)
    anchor = await log.head()
    await pruned(log)
    report = await log.verified(anchor)
    assert (report.fault, report.base, report.lines, report.sealed) == (None, 3, 4, 7)
    assert [one.seq for one in await log.store.audit_chain.heads()] == [7]
    rows = await log.store._db.all("SELECT id FROM audit_personal ORDER BY id", ())
    assert [row[0] for row in rows] == sorted(one.id for one in await log.store.audit.page())
    assert len(rows) == 3
    await aged(log, 0)
    assert (await log.verified(anchor)).sealed == 8


async def test_the_newest_place_stays_when_all_lines_have_gone(log: Chained) -> None:
    await aged(log, 900, 800)
    await pruned(log)
    assert [place.link.seq for place in await log.store.audit_chain.after(0)] == [2]
    await aged(log, 0)
    report = await log.verified()
    assert (report.fault, report.base, report.sealed) == (None, 1, 3)


async def test_a_beginning_that_no_head_confirms_is_found(log: Chained, own_database: str | None) -> None:
    await aged(log, 900, 500, 10, 1)
    await pruned(log)
    await disarm(log, own_database)
    (third,) = [place.link for place in await log.store.audit_chain.after(2) if place.link.seq == 3]
    await log.run("DELETE FROM audit WHERE id = ?", third.id)
    await log.run("DELETE FROM audit_chain WHERE seq <= 3")
    await log.run("UPDATE meta SET value = 'aud_z' WHERE name = 'audit.kept_from'")
    assert "place 3 of the chain is missing" in await log.fault()


async def test_nothing_is_removed_before_a_head_says_so(log: Chained) -> None:
    await aged(log, 900, 1)
    log.signer.install([])
    assert await log.sealer.prune(log.clock.time, KEEP) == 0
    assert (await log.store.audit_chain.after(0))[0].link.seq == 1


async def test_filters_choose_lines(log: Chained) -> None:
    await aged(log, 3, 2, 1)
    chosen = log.store.audit.filtered
    assert len(await chosen(AuditFilter(since=log.clock.time - int(2.5 * DAY)))) == 2
    assert len(await chosen(AuditFilter(until=log.clock.time - int(1.5 * DAY)))) == 2
    assert len(await chosen(AuditFilter(kind="sign_in.*"))) == 3
    assert await chosen(AuditFilter(kind="sign_out.*")) == []
    both = AuditFilter(account_id="usr_ada", client_id="app_shop", request_id="r1", kind="sign_in.succeeded")
    assert len(await chosen(both)) == 3
    for member in ("account_id", "client_id", "request_id", "kind"):
        assert await chosen(structs.replace(both, **{member: "other"})) == []
    oldest = await log.store.audit.following(both, limit=2)
    rest = await log.store.audit.following(both, after=oldest[-1].id)
    assert [one.at for one in (*oldest, *rest)] == sorted(one.at for one in (*oldest, *rest))
    assert len(rest) == 1
