"""Sealing of the audit log on both stores: nothing is skipped, no commit waits, and what older programs wrote is sealed too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from doorward.core.errors import StoreConflict
from doorward.core.model.audit_filter import AuditFilter
from doorward.storage.sql.open import open_store
from doorward.storage.sql.statements import write
from tests.engines import BOTH, POSTGRES, on
from tests.features.audit.chained import CALLER, Chained, chained, opened
from tests.logged import captured
from tests.manual_clock import NOW, ManualClock

pytestmark = pytest.mark.anyio
ENGINES = BOTH
OLD_FORM = (
    "INSERT INTO audit (id, at, kind, ok, account_id, client_id, session_id, grant_id, address, user_agent, request_id, detail)"
    " VALUES (?, ?, 'sign_in.failed', 0, ?, NULL, NULL, NULL, '198.51.100.4', 'Opera', 'r1', ?)"
)


@pytest.fixture
async def log(own_database: str | None, tmp_path: Path) -> AsyncIterator[Chained]:
    async with opened(own_database, tmp_path) as made:
        yield made


async def test_committed_lines_are_chained_in_order_and_verify(log: Chained) -> None:
    await log.write(7)
    assert (await log.verified()).unsealed == 7
    assert await log.sealer.round() == 7
    report = await log.verified()
    assert (report.fault, report.lines, report.sealed, report.unsealed) == (None, 7, 7, 0)
    assert report.last_line == (await log.store.audit.page(limit=1))[0].id
    # the first round signed a head, so that all of it is proven
    assert (report.proven, report.proven_at) == (7, NOW)


async def test_lines_after_the_head_are_unproven_until_the_next_one_is_due(log: Chained) -> None:
    await log.write(2)
    await log.sealer.round()
    log.clock.time += 300
    await log.write(1)
    await log.sealer.round()
    report = await log.verified()
    assert (report.sealed, report.proven) == (3, 2)
    log.clock.time += 301
    await log.sealer.round()
    assert (await log.verified()).proven == 3
    assert [head.seq for head in await log.store.audit_chain.heads()] == [2, 3]


async def test_one_process_seals_at_a_time_and_another_takes_over_after_its_lease(
    log: Chained, own_database: str | None, tmp_path: Path
) -> None:
    store = await open_store(own_database or str(tmp_path / "doorward.db"))
    other = chained(store, log.clock)
    await log.write(3)
    assert await log.sealer.round() == 3
    await log.write(2)
    assert await other.sealer.round() == 0
    log.clock.time += 2
    assert await other.sealer.round() == 2
    assert await log.fault() == ""
    await store.close()


async def test_two_sealers_at_once_chain_every_line_once(
    log: Chained, own_database: str | None, tmp_path: Path
) -> None:
    """As when a lease ends while its process is slow."""
    store = await open_store(own_database or str(tmp_path / "doorward.db"))
    other = chained(store, log.clock)

    async def writing(by: Chained) -> None:
        await by.write(30)

    async def sealing(by: Chained) -> None:
        for _ in range(20):
            await by.sealer.catch_up()

    await asyncio.gather(writing(log), writing(other), sealing(log), sealing(other))
    await log.sealer.catch_up()
    await other.sealer.catch_up()
    report = await log.verified()
    assert (report.fault, report.lines, report.unsealed) == (None, 60, 0)
    await store.close()


@on(POSTGRES)
async def test_a_line_that_commits_after_later_ones_were_sealed_is_not_lost(
    log: Chained, own_database: str
) -> None:
    """A transaction that began first, and whose line has the lower id, may commit last."""
    shell = await asyncpg.connect(own_database)
    late = shell.transaction()
    await late.start()
    await shell.execute(
        "INSERT INTO audit (id, at, kind, ok, detail, personal) VALUES ('aud_000000000001', 1, 'late', 1, '{}', '')"
    )
    await log.write(3)
    assert await log.sealer.round() == 3
    await late.commit()
    await shell.close()
    log.clock.time += 2
    assert await log.sealer.round() == 1
    report = await log.verified()
    assert (report.fault, report.lines, report.last_line) == (None, 4, "aud_000000000001")


async def test_lines_of_older_programs_are_sealed_without_their_personal_fields(log: Chained) -> None:
    """Nodes of the version before, which run on during an update, write addresses into the line."""
    detail = '{"reason":"password","name":"Ada","by":"sign_up"}'
    await log.store.commit(write(OLD_FORM, "aud_000000000002", 2, "usr_ada", detail))
    before = await log.store.audit.get("aud_000000000002")
    assert before is not None
    assert (before.address, before.detail["name"], before.erased) == ("198.51.100.4", "Ada", False)
    await log.sealer.round()
    assert await log.store.audit.get("aud_000000000002") == before
    (place,) = await log.store.audit_chain.after(0)
    assert place.line is not None
    assert place.line.detail == '{"by":"sign_up","reason":"password"}'
    assert place.fields == '{"address":"198.51.100.4","user_agent":"Opera","detail":{"name":"Ada"}}'
    assert await log.fault() == ""


async def test_the_line_itself_holds_no_personal_field(log: Chained) -> None:
    await log.write(1)
    row = await log.store._db.one("SELECT * FROM audit", ())
    assert row is not None
    text = " ".join(map(str, row))
    for personal in (CALLER.address, CALLER.user_agent, "Ada 0"):
        assert personal not in text
    (event,) = await log.store.audit.page()
    assert (event.address, event.user_agent, event.detail["subject"]) == (
        CALLER.address,
        CALLER.user_agent,
        "Ada 0",
    )


async def test_two_lines_with_the_same_fields_have_different_hashes(log: Chained) -> None:
    """Without a salt for each line, all addresses could be tried, and lines of one person be found after an erasure."""
    await log.write(1)
    await log.write(1)
    rows = await log.store._db.all("SELECT personal FROM audit", ())
    assert len({row[0] for row in rows}) == 2


async def test_what_was_written_in_the_moment_of_a_deletion_is_erased_when_it_is_sealed(log: Chained) -> None:
    await log.write(2)
    await log.store.commit(
        log.store.delete_account("usr_ada"),
        log.log.write("account.deleted", caller=CALLER, now=NOW, account_id="usr_ada", subject="Ada"),
    )
    await log.write(2)
    await log.store.commit(write(OLD_FORM, "aud_000000000002", 2, "usr_ada", '{"name":"Ada"}'))
    await log.sealer.round()
    rows = await log.store._db.all("SELECT fields FROM audit_personal", ())
    assert rows == []
    assert all(event.erased and event.address is None for event in await log.store.audit.page())
    report = await log.verified()
    assert (report.fault, report.lines, report.erased) == (None, 6, 6)


async def test_an_erasure_leaves_other_people_and_later_lines_alone(log: Chained) -> None:
    await log.write(2)
    await log.write(1, account="usr_bob")
    until = log.log.random.new_id("aud")
    await log.store.commit(
        log.store.audit.erase_before("usr_ada", until),
        log.log.write("audit.erased", caller=CALLER, now=NOW, account_id="usr_ada"),
    )
    await log.write(1)
    await log.sealer.round()
    erased = [event.erased for event in await log.store.audit.filtered(AuditFilter(account_id="usr_ada"))]
    assert erased == [False, False, True, True]
    assert not (await log.store.audit.filtered(AuditFilter(account_id="usr_bob")))[0].erased
    report = await log.verified()
    assert (report.fault, report.erased) == (None, 2)


async def test_a_sealer_notices_that_the_chain_was_cut_behind_its_back(log: Chained) -> None:
    """Between two heads only a running server can tell that lines at the end have gone."""
    await log.sealed(5)
    await log.sealer.round()
    await log.run("DELETE FROM audit_chain WHERE seq > 3")
    await log.sealer.round()
    log.clock.time += 2
    await log.sealer.round()
    (said,) = await log.store.audit.page(kind="audit.chain_broken")
    assert said.detail["seq"] == "5"
    assert await log.fault() != ""


async def test_a_sealed_line_in_the_queue_does_not_stop_the_sealer(log: Chained) -> None:
    """Somebody who may write the database could keep all later lines unsealed, and change them without a trace."""
    await log.sealed(3)
    again = [place.link.id for place in await log.store.audit_chain.after(0)][:2]
    for one in again:
        await log.run("INSERT INTO audit_unsealed (id) VALUES (?)", one)
    await log.write(4)
    with captured() as lines:
        await log.sealer.catch_up()
    report = await log.verified()
    assert (report.fault, report.sealed, report.unsealed) == (None, 7, 0)
    (line,) = lines
    assert (line["event"], line["line"], line["lines"]) == ("audit.line_queued_again", again[0], 2)


async def test_personal_fields_put_beside_a_line_of_an_older_program_do_not_stop_the_sealer(
    log: Chained,
) -> None:
    await log.store.commit(write(OLD_FORM, "aud_000000000002", 2, "usr_ada", "{}"))
    await log.run(
        "INSERT INTO audit_personal (id, salt, fields) VALUES (?, ?, '{}')", "aud_000000000002", b"s" * 16
    )
    await log.write(1)
    await log.sealer.catch_up()
    report = await log.verified()
    assert (report.fault, report.sealed, report.unsealed) == (None, 2, 0)


async def test_a_conflict_is_logged(log: Chained, monkeypatch: pytest.MonkeyPatch) -> None:
    await log.write(1)

    async def lost(*_: object) -> bool:
        raise StoreConflict

    monkeypatch.setattr(log.sealer, "_seal", lost)
    with captured() as lines:
        assert await log.sealer.catch_up() == 0
    assert [line["event"] for line in lines] == ["audit.seal_conflict"]


async def test_a_server_without_a_key_seals_and_signs_later(log: Chained) -> None:
    log.signer.install([])
    await log.write(1)
    assert await log.sealer.round() == 1
    assert await log.sealer.sign() is None
    assert (await log.verified()).proven == 0


async def test_an_idle_round_writes_nothing(log: Chained, monkeypatch: pytest.MonkeyPatch) -> None:
    await log.write(1)
    await log.sealer.round()
    log.clock.time += 1000

    async def refused(*_: object) -> int:
        raise AssertionError("an idle server takes no lock")

    monkeypatch.setattr(log.store._db, "apply", refused)
    assert await log.sealer.round() == 0


async def test_a_clock_is_no_part_of_the_order(own_database: str | None, tmp_path: Path) -> None:
    """A node whose clock is wrong writes ids that sort elsewhere; its lines are chained when they are seen."""
    async with opened(own_database, tmp_path) as log:
        await log.sealed(2)
        slow = chained(log.store, ManualClock())
        slow.clock.time = NOW - 10_000_000
        await slow.sealed(2)
        assert (await log.verified()).lines == 4
