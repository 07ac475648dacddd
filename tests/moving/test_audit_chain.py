"""The chain of the audit log after a move and a restore, and a move that is resumed after its source has sealed lines."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from doorward.storage.copy.fresh import into_postgres, into_sqlite
from doorward.storage.copy.load import load
from doorward.storage.copy.move import move
from doorward.storage.copy.open import open_side
from doorward.storage.copy.pieces import dump
from doorward.storage.copy.side import Side
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.sql.open import open_store
from doorward.storage.sql.statements import write
from tests.features.audit.chained import CALLER, Chained, chained
from tests.features.audit.test_sealer import OLD_FORM
from tests.manual_clock import ManualClock
from tests.moving.test_copy_sqlite import Steps

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def log_in(place: str) -> AsyncGenerator[Chained]:
    store = await open_store(place)
    try:
        yield chained(store, ManualClock())
    finally:
        await store.close()


def places(tmp_path: Path, way: str, request: pytest.FixtureRequest) -> tuple[str, str]:
    here, there = str(tmp_path / "a.db"), str(tmp_path / "b.db")
    if way == "to postgresql":
        there = request.getfixturevalue("postgres_url")
    elif way == "from postgresql":
        here = request.getfixturevalue("postgres_url")
    return here, there


async def filled(place: str) -> str:
    """Sealed lines, one that is not, and an erased person; returns a head."""
    async with log_in(place) as log:
        await log.sealed(30)
        await log.sealed(5, account="usr_bob")
        await log.store.commit(log.store.delete_account("usr_bob"))
        await log.store.commit(
            log.log.write("account.deleted", caller=CALLER, now=1, account_id="usr_bob"),
        )
        await log.sealer.catch_up()
        head = await log.head()
        await log.write(1)
    return head


async def verifies(place: str, head: str) -> None:
    async with log_in(place) as log:
        report = await log.verified(head)
        assert (report.fault, report.sealed, report.unsealed, report.proven, report.erased) == (
            None,
            36,
            1,
            36,
            6,
        )
        await log.sealer.round()
        assert (await log.verified(head)).sealed == 37


@pytest.mark.parametrize("way", ["to postgresql", "from postgresql"])
async def test_after_a_move_the_chain_verifies_against_a_head_kept_elsewhere(
    tmp_path: Path, way: str, request: pytest.FixtureRequest
) -> None:
    here, there = places(tmp_path, way, request)
    head = await filled(here)
    await (await open_store(there)).close()
    source, target = await open_side(here, PostgresOptions()), await open_side(there, PostgresOptions())
    try:
        await move(source, target, owner="one", progress=Steps(), size=7)
    finally:
        await source.aclose()
        await target.aclose()
    await verifies(there, head)


@pytest.mark.parametrize("way", ["to postgresql", "from postgresql"])
async def test_after_a_restore_the_chain_verifies(
    tmp_path: Path, way: str, request: pytest.FixtureRequest
) -> None:
    here, there = places(tmp_path, way, request)
    head = await filled(here)
    source = await open_side(here, PostgresOptions())
    try:
        pieces = [piece async for piece in dump(source, Steps())]
        schema = len(await source.rows("SELECT number FROM schema_migrations"))
    finally:
        await source.aclose()

    async def fill(side: Side, _before: dict[str, int]) -> None:
        await load(side, pieces, Steps())

    if way == "to postgresql":
        await into_postgres(there, PostgresOptions(), schema, fill, replace=True)
    else:
        await into_sqlite(Path(there), schema, fill, replace=True)
    await verifies(there, head)


@pytest.mark.parametrize("way", ["to postgresql", "from postgresql"])
async def test_a_move_is_resumed_after_its_source_has_sealed_lines_of_older_programs(
    tmp_path: Path, way: str, request: pytest.FixtureRequest
) -> None:
    """The first try copied them with their personal fields in the line; the target refuses to change a line, but for this."""
    here, there = places(tmp_path, way, request)
    async with log_in(here) as log:
        for number in range(20):
            line = f"aud_0000000000{number:02}"
            await log.store.commit(write(OLD_FORM, line, 2, "usr_ada", '{"name":"Ada","reason":"password"}'))
        await (await open_store(there)).close()
        source, target = await open_side(here, PostgresOptions()), await open_side(there, PostgresOptions())
        try:
            with pytest.raises(KeyboardInterrupt):
                await move(source, target, owner="one", progress=Steps(stop_after=4), size=5)
            assert (await target.rows("SELECT COUNT(*) FROM audit"))[0][0] > 0
            await log.sealer.catch_up()
            await move(source, target, owner="two", progress=Steps(), size=5)
        finally:
            await source.aclose()
            await target.aclose()
    async with log_in(there) as log:
        report = await log.verified()
        assert (report.fault, report.sealed, report.unsealed) == (None, 20, 0)
        rows = await log.store._db.all("SELECT address FROM audit", ())
        assert {row[0] for row in rows} == {None}
