"""Tests of a full disk under a SQLite file: writes are refused with 503, nothing is lost, and free space is enough to
continue."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.failures.disks import NoMount, fill, no_file_beyond, small_disk
from tests.failures.witness import Witness, witness_of
from tests.flows.processes import Process, processes

WRITES = {"refresh", "JSON sign-in", "cookie refresh"}


def full_and_back(witness: Witness, server: Process) -> None:
    """Checks while the disk is full: reads are answered, writes are refused."""
    code = "dw_ac_unknown", "x" * 43
    for _ in range(3):
        seen = witness.look()
        assert seen.wrong == []
        assert seen.refused >= WRITES, seen.answers
        # reading needs no space: introspection is answered, and correctly
        assert seen.answers["introspection"] == 200
        assert seen.answers["userinfo"] == 200
        assert witness.redeem(code).status_code in {400, 503}
    assert server.running


def test_a_full_disk_refuses_writes_and_recovers_with_nobody_signed_out(tmp_path: Path) -> None:
    try:
        with small_disk(tmp_path, 8) as disk:
            database = str(disk / "doorward.db")
            with processes(tmp_path, 1, database=database) as fleet, witness_of(fleet) as witness:
                unused = witness.code()
                ballast = fill(disk)
                # space in existing files is used up first
                for _ in range(2000):
                    if "refresh" in witness.look().refused:
                        break
                full_and_back(witness, fleet.servers[0])
                assert witness.redeem(unused).status_code == 503
                ballast.unlink()
                witness.recovered()
                witness.everything_is_as_before()
                assert witness.redeem(unused).status_code == 200
                assert fleet.servers[0].troubles() == []
    except NoMount as why:
        pytest.skip(str(why))


def test_a_limit_on_the_file_size_behaves_like_a_full_disk(tmp_path: Path) -> None:
    """The log is a file too: a failed log write must not change a response."""
    with processes(tmp_path, 1) as fleet, witness_of(fleet) as witness:
        server = fleet.servers[0]
        unused = witness.code()
        with no_file_beyond(1024, server.pid):
            full_and_back(witness, server)
            assert witness.redeem(unused).status_code == 503
        witness.recovered()
        witness.everything_is_as_before()
        assert witness.redeem(unused).status_code == 200
        assert server.troubles() == []
