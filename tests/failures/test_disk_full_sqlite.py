"""What happens when the disk under a SQLite file is full? Writes are refused with 503, nothing is lost, and room is enough to go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.failures.disks import NoMount, fill, no_file_beyond, small_disk
from tests.failures.witness import Witness, witness_of
from tests.flows.processes import Process, processes

WRITES = {"refresh", "JSON sign-in", "cookie refresh"}


def full_and_back(witness: Witness, server: Process) -> None:
    """Looks while the disk is full. What was read before is still answered; what writes is refused."""
    code = "dw_ac_unknown", "x" * 43
    for _ in range(3):
        seen = witness.look()
        assert seen.wrong == []
        assert seen.refused >= WRITES, seen.answers
        # reading needs no room: what an API asks is answered, and truly
        assert seen.answers["introspection"] == 200
        assert seen.answers["userinfo"] == 200
        assert witness.redeem(code).status_code in {400, 503}
    assert server.running


def test_a_full_disk_refuses_writes_and_a_free_one_goes_on_with_nobody_signed_out(tmp_path: Path) -> None:
    try:
        with small_disk(tmp_path, 8) as disk:
            database = str(disk / "doorward.db")
            with processes(tmp_path, 1, database=database) as fleet, witness_of(fleet) as witness:
                unused = witness.code()
                ballast = fill(disk)
                # what is left in files that are there already is used up first
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


def test_a_file_that_may_not_grow_is_the_same(tmp_path: Path) -> None:
    """The log is a file too: that nothing can be written to it must not turn an answer into another."""
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
