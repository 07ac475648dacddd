"""Tests of the doctor's check of the audit months: a missing next month, and old months that cannot be dropped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from doorward.ops.doctor.check import Check
from doorward.ops.doctor.doctor import examine
from doorward.settings import load
from tests.postgres import Databases
from tests.storage.years import BEGAN, Years, server

pytestmark = pytest.mark.anyio


@pytest.fixture
def restricted(years: Years, postgres: Databases) -> Iterator[str]:
    """The database for a role that owns nothing there but may read and write every row."""
    role = f"guest_{urlsplit(years.url).path[-8:]}"
    postgres.query(f"CREATE ROLE {role} LOGIN PASSWORD 'a-word-of-the-tests'", years.url)
    parts = urlsplit(years.url)
    yield parts._replace(netloc=f"{role}:a-word-of-the-tests@{parts.netloc.rpartition('@')[2]}").geturl()
    with suppress(RuntimeError):
        postgres.query(f"DROP OWNED BY {role}; DROP ROLE {role}", years.url)


def granted(
    postgres: Databases, url: str, restricted: str, rights: str = "SELECT, INSERT, UPDATE, DELETE"
) -> None:
    postgres.query(f"GRANT {rights} ON ALL TABLES IN SCHEMA public TO {urlsplit(restricted).username}", url)


async def examined(folder: Path, database: str, more: str = "") -> Check:
    path = folder / "doorward.toml"
    path.write_text(f'issuer = "http://127.0.0.1:1"\ndevelopment = true\ndatabase = "{database}"\n{more}')
    return {check.name: check for check in await examine(load(path, {}))}["audit record"]


async def test_an_audit_log_in_order_is_reported_with_how_long_it_is_kept(
    tmp_path: Path, years: Years
) -> None:
    async with server(years.url) as store:
        await years.written(store)
    found = await examined(tmp_path, years.url)
    assert found.ok
    assert found.said == "3 months, kept for 400 days"
    assert "for ever" in (await examined(tmp_path, years.url, "[audit]\nkeep_days = 0\n")).said


async def test_a_month_that_stays_too_long_is_found(tmp_path: Path, years: Years) -> None:
    async with server(years.url) as store:
        await years.turn(BEGAN + timedelta(days=411, hours=13))
        await store.sweep(years.now)
        # a running server has some time for it
        assert (await examined(tmp_path, years.url)).ok
        await years.turn(BEGAN + timedelta(days=420))
        found = await examined(tmp_path, years.url)
        assert not found.ok
        assert "audit_2021_10 should have gone" in found.said
        assert (await examined(tmp_path, years.url, "[audit]\nkeep_days = 500\n")).ok
        assert await years.upkeep(store) == 1
        assert (await examined(tmp_path, years.url)).ok


async def test_an_audit_log_without_a_next_month_is_found(
    tmp_path: Path, years: Years, postgres: Databases, restricted: str
) -> None:
    async with server(years.url):
        await years.turn(BEGAN + timedelta(days=70))
    granted(postgres, years.url, restricted)
    found = await examined(tmp_path, years.url)
    assert not found.ok
    assert "there is no audit_2022_01" in found.said
    assert "Start a server" in found.fix
    assert "doorward migrate" in (await examined(tmp_path, restricted)).fix
    # a second start creates it, as doorward migrate does
    async with server(years.url):
        assert (await examined(tmp_path, restricted)).ok


async def test_months_that_the_servers_role_may_not_drop_are_found_with_the_fix(
    tmp_path: Path, years: Years, postgres: Databases, restricted: str
) -> None:
    async with server(years.url):
        await years.turn(BEGAN + timedelta(days=420))
    async with server(years.url):
        granted(postgres, years.url, restricted)
    found = await examined(tmp_path, restricted)
    assert not found.ok
    assert "audit_2021_10" in found.said
    statement = found.fix.partition(": ")[2].partition(";")[0]
    postgres.query(statement, years.url)
    assert (await examined(tmp_path, restricted)).ok


async def test_lines_outside_the_months_that_may_not_be_removed_are_found(
    tmp_path: Path, years: Years, postgres: Databases, restricted: str
) -> None:
    async with server(years.url) as store:
        await years.written(store, BEGAN - timedelta(days=900))
    granted(postgres, years.url, restricted, "SELECT, INSERT, UPDATE")
    found = await examined(tmp_path, restricted)
    assert not found.ok
    postgres.query(found.fix, years.url)
    async with server(restricted) as store:
        assert await years.upkeep(store) == 1
    assert (await examined(tmp_path, restricted)).ok
