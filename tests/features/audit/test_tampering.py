"""Random tamperings with a sealed audit log are all found, and erasures are not taken for one, on both stores."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from tests.engines import BOTH
from tests.features.audit.chained import CALLER, Chained, opened
from tests.features.audit.tampering import ALL, TABLES, Scene, Tampering, forget, keep, undo
from tests.manual_clock import NOW

pytestmark = pytest.mark.anyio
ENGINES = BOTH
PEOPLE = 50
ERASURES = 20
SEED = 20261201
TIDY = 20


@asynccontextmanager
async def sealed(database: str | None, folder: Path, lines: int) -> AsyncGenerator[Scene]:
    """A log with so many lines, heads after a half and nine tenths of them, 20 people erased, and the last head kept elsewhere."""
    async with opened(database, folder, defenceless=True) as log:
        written, heads = 0, list[int]()
        anchor = ""
        for upto in (lines // 2, lines * 9 // 10, lines):
            for first in range(written, upto, 50):
                some = [
                    log.log.write(
                        "sign_in.succeeded",
                        caller=CALLER,
                        now=NOW + number,
                        account_id=f"usr_{number % PEOPLE}" if number % 7 else None,
                        subject=f"Person {number}",
                    )
                    for number in range(first, min(first + 50, upto))
                ]
                assert await log.store.commit(*some)
            await log.sealer.catch_up()
            written = upto
            if upto < lines:
                anchor = await log.head()
                heads.append(upto)
            if upto == lines // 2:
                for person in range(ERASURES):
                    await _erase(log, f"usr_{person}")
                written += ERASURES
        places = []
        while more := await log.store.audit_chain.after(len(places), 1000):
            places += more
        assert len(places) == lines
        yield Scene(log, places, heads, anchor)


async def _erase(log: Chained, account_id: str) -> None:
    until = log.log.random.new_id("aud")
    assert await log.store.commit(
        log.log.write("audit.erased", caller=CALLER, now=NOW, account_id=account_id),
        log.store.audit.erase_before(account_id, until),
    )


async def tampered(database: str | None, folder: Path, lines: int, tamperings: int) -> None:
    """The trial. Fails if a tampering is not found, or another place than the first bad one is named."""
    chance = Random(SEED)
    async with sealed(database, folder, lines) as scene:
        log = scene.log
        report = await log.verified(scene.anchor)
        assert (report.fault, report.lines, report.proven) == (None, lines, scene.heads[-1])
        assert report.erased == sum(
            one.line is not None and bool(one.line.personal) and one.fields is None for one in scene.places
        )
        assert report.erased > ERASURES
        await keep(log)
        missed, done = Counter[str](), Counter[str]()
        for number in range(tamperings):
            tampering: Tampering = ALL[number % len(ALL)]
            wanted = await tampering(scene, chance)
            name = tampering.__name__
            done[name] += 1
            fault = (await log.verified(scene.anchor)).fault
            if fault is None or (wanted is not None and fault.seq != wanted):
                missed[name] += 1
            await undo(log)
            if database is not None and number % TIDY == TIDY - 1:
                # hundreds of times thousands of rows that were written anew: PostgreSQL reads over all of them until they are cleaned up
                await log.run(f"VACUUM ANALYZE {', '.join(TABLES)}")
        assert sum(done.values()) == tamperings
        assert not missed, missed
        assert await log.fault(scene.anchor) == ""


async def test_fifty_tamperings_with_500_lines_are_found(own_database: str | None, tmp_path: Path) -> None:
    await tampered(own_database, tmp_path, 500, 50)


@pytest.mark.soak
async def test_500_tamperings_with_10000_lines_are_found(own_database: str | None, tmp_path: Path) -> None:
    await tampered(own_database, tmp_path, 10_000, 500)


async def test_without_a_head_kept_elsewhere_a_cut_with_its_heads_is_not_seen(
    own_database: str | None, tmp_path: Path
) -> None:
    """What is not proven: whoever can write the database can make an older state of it."""
    async with sealed(own_database, tmp_path, 300) as scene:
        await forget(scene, 200)
        assert await scene.log.fault() == ""
        assert "the chain was cut" in await scene.log.fault(scene.anchor)


async def test_lines_after_the_last_head_can_be_cut_only_behind_a_running_servers_back(
    own_database: str | None, tmp_path: Path
) -> None:
    """The verification says that these lines are unproven; a server that runs has seen them, and writes down that they have gone."""
    async with sealed(own_database, tmp_path, 300) as scene:
        log = scene.log
        await log.sealer.round()
        await forget(scene, 299)
        report = await log.verified(scene.anchor)
        assert (report.fault, report.sealed, report.proven) == (None, 298, scene.heads[-1])
        await log.sealer.round()
        log.clock.time += 2
        await log.sealer.round()
        assert "a running server saw" in await log.fault(scene.anchor)
