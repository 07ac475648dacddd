"""The lookup from settings, the check of `doorward doctor`, and files that are replaced under a server."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from doorward.app.container import open_container
from doorward.core.model.place import Place
from doorward.core.model.section import Sections
from doorward.features.feature import Examined
from doorward.features.places.build import places
from doorward.features.places.feature import PLACES
from doorward.features.places.settings import PlacePolicy
from doorward.storage.sql.store import Store
from tests.containers import CHEAP_HASHING, settings
from tests.mmdb import LONDON, write_mmdb
from tests.waiting import until_async

pytestmark = pytest.mark.anyio

ADDRESS = "81.2.69.142"
BUILT = 1_780_000_000


@pytest.fixture
def policy(tmp_path: Path) -> PlacePolicy:
    (tmp_path / "exits").write_text("81.2.69.0/24\n", "utf-8")
    city = write_mmdb(tmp_path / "city.mmdb", {"81.2.69.0/24": LONDON}, built=BUILT)
    return PlacePolicy(database=str(city), company=(str(tmp_path / "exits"),))


async def test_a_server_reads_the_files_at_its_start_and_again_when_they_change(policy: PlacePolicy) -> None:
    opened = await open_container(settings=settings(places=policy, passwords=CHEAP_HASHING))
    async with aclosing(opened) as container:
        await PLACES.starting(container.services)
        found = container.services.get(places)
        assert found.find(ADDRESS) == Place("GB", "England", "London", 51.5142, -0.0931, 10)
        assert found.network(ADDRESS) == "company"
        Path(policy.company[0]).write_text("# none left\n", "utf-8")
        (job,) = PLACES.jobs(container.services)
        running = asyncio.ensure_future(job.run())
        try:
            await until_async(lambda: found.network(ADDRESS) is None)
        finally:
            running.cancel()


async def test_without_files_nothing_is_known_and_the_doctor_is_silent(store: Store) -> None:
    opened = await open_container(settings=settings(passwords=CHEAP_HASHING))
    async with aclosing(opened) as container:
        found = container.services.get(places)
        assert (found.find(ADDRESS), found.network(ADDRESS), found.problems) == (None, None, [])
    assert await look(store, PlacePolicy()) is None


async def test_the_doctor_names_a_broken_and_a_missing_file(store: Store, policy: PlacePolicy) -> None:
    assert await look(store, policy) == (
        True,
        "the database was built 10 days ago, 1 ranges of company",
        "",
    )
    Path(policy.company[0]).write_text("81.2.69.0/24\nexample.com\n", "utf-8")
    Path(policy.database or "").unlink()
    found = await look(store, policy)
    assert found is not None
    ok, said, fix = found
    assert not ok
    assert f"{policy.database}: cannot be read (No such file or directory)" in said
    assert f"{policy.company[0]}: line 2: example.com is no network" in said
    assert "[places]" in fix


async def test_the_doctor_warns_of_an_old_database(store: Store, policy: PlacePolicy) -> None:
    ok, said, fix = await look(store, policy, days=401) or (False, "", "")
    assert ok
    assert "built 401 days ago" in said
    assert fix.startswith("Get a newer place database")


async def look(store: Store, policy: PlacePolicy, *, days: int = 10) -> tuple[bool, str, str] | None:
    (check,) = PLACES.checks()
    now = BUILT + days * 86_400
    found = await check.look(
        Examined(store=store, sections=Sections([policy]), issuer="https://auth.example.com", now=now)
    )
    return None if found is None else (found.ok, found.said, found.fix)
