"""Tests of a full disk under PostgreSQL: it refuses writes or shuts down; requests get 503, and nothing is lost."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.failures.disks import NoMount, fill, small_disk
from tests.failures.witness import ADA, Witness, witness_of
from tests.flows.apps import healed
from tests.flows.processes import processes
from tests.flows.signing_in import tokens_by_challenge
from tests.postgres import Postgres, postgres_server

SCOPE = "openid orders:read"
# tries of correct sign-ins that end in 503 still count against the limits
PATIENT = {"throttle": {"per_account": 10_000, "per_device": 10_000, "per_address": 10_000}}
LITTLE = {"max_wal_size": "32MB", "min_wal_size": "8MB", "shared_buffers": "16MB", "wal_recycle": "off"}


@pytest.fixture
def room(postgres_programs: Path) -> Generator[Path]:
    """A folder that PostgreSQL's user can enter; pytest's own folders are closed to it."""
    assert postgres_programs
    with tempfile.TemporaryDirectory(prefix="disk-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def mounted(room: Path, megabytes: int) -> Generator[Path]:
    """A small disk, or the test is skipped."""
    try:
        with small_disk(room, megabytes) as disk:
            yield disk
    except NoMount as why:
        pytest.skip(str(why))


def everything_goes_on(witness: Witness, unused: tuple[str, str], chains: list[str]) -> None:
    witness.recovered()
    witness.everything_is_as_before()
    assert healed(lambda: witness.redeem(unused)).refresh
    for chain in chains:
        assert healed(lambda chain=chain: witness.app.refresh(chain)).refresh


def test_a_full_disk_for_rows_refuses_writes_and_loses_nothing(tmp_path: Path, room: Path) -> None:
    """53100: a write that needs a new page is refused, one that fits into an existing page succeeds."""
    with mounted(room, 32) as disk, postgres_server() as server:
        place = disk / "rows"
        place.mkdir()
        shutil.chown(place, "nobody", "nogroup")
        server.query(f"CREATE TABLESPACE little LOCATION '{place}'")
        url = server.create()
        server.query(f"ALTER DATABASE {url.rpartition('/')[2]} SET TABLESPACE little")
        with processes(tmp_path, 1, database=url, sections=PATIENT) as fleet, witness_of(fleet) as witness:
            unused = witness.code()
            chains = [tokens_by_challenge(witness.app, ADA, SCOPE).refresh for _ in range(3)]
            ballast = fill(disk)
            refused: set[str] = set()
            for _ in range(400):
                # writes that fit into existing pages succeed; sooner or later a table needs another page
                seen = witness.look()
                assert seen.wrong == []
                refused |= seen.refused
                if len(refused) > 1:
                    break
            assert refused, "the disk did not get full"
            assert "introspection" not in refused, "reading needs no room"
            ballast.unlink()
            everything_goes_on(witness, unused, chains)
            assert fleet.servers[0].troubles() == []


def test_a_full_disk_for_the_journal_stops_postgresql_and_loses_nothing(tmp_path: Path, room: Path) -> None:
    """PostgreSQL then shuts down by itself, and stays down until there is space and it is started again."""
    with (
        mounted(room, 128) as disk,
        postgres_server(disk, settings=LITTLE) as server,
        processes(tmp_path, 1, database=server.create()) as fleet,
        witness_of(fleet) as witness,
    ):
        unused = witness.code()
        chains = [tokens_by_challenge(witness.app, ADA, SCOPE).refresh for _ in range(3)]
        ballast = fill(disk)
        use_up_the_journal(server)
        for _ in range(5):
            seen = witness.outage()
            assert seen.wrong == []
            assert witness.app.refresh(chains[0]).status_code == 503
        ballast.unlink()
        server.kill()
        server.start()
        everything_goes_on(witness, unused, chains)
        assert fleet.servers[0].troubles() == []


def use_up_the_journal(server: Postgres) -> None:
    """Write to the journal alone until there is no space for another of its files."""
    for _ in range(200):
        try:
            server.query("SELECT pg_logical_emit_message(false, 'test', repeat('-', 1000000))")
            server.query("SELECT pg_switch_wal()")
        except RuntimeError:
            if not server.ready():
                return
    raise AssertionError("the journal still found space")
