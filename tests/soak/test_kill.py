"""Soak tests of kill -9 under load: twenty kills neither lose nor revive a refresh token."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines import BOTH
from tests.races.kills import kill_and_look

ENGINES = BOTH
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


@pytest.mark.requirement(18)
def test_twenty_kills_of_the_only_process(tmp_path: Path, own_database: str | None) -> None:
    done = kill_and_look(tmp_path, 20, database=own_database)
    print(done)
    assert done["kills"] == 20
    assert done["answers lost"] >= 20, "the kills hit no request in progress"
    assert done["spent refused"] > 20


@pytest.mark.requirement(18)
def test_ten_kills_of_one_process_beside_others_on_the_same_database(
    tmp_path: Path, own_database: str | None
) -> None:
    done = kill_and_look(tmp_path, 10, count=3 if own_database else 2, seed=2, database=own_database)
    print(done)
    assert done["kills"] == 10
    assert done["spent refused"] > 10
