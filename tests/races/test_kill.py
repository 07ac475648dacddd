"""Tests that kill -9 under load neither loses nor revives a refresh token: two kills here, twenty in tests/soak."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines import POSTGRES_IN_SOAK
from tests.races.kills import kill_and_look

ENGINES = POSTGRES_IN_SOAK


@pytest.mark.requirement(18)
def test_after_a_kill_every_newest_token_refreshes_and_no_spent_one_does(
    tmp_path: Path, own_database: str | None
) -> None:
    done = kill_and_look(tmp_path, 2, database=own_database)
    assert done["kills"] == 2
    assert min(done["sign_ins"], done["refreshes"], done["newest refreshed"], done["spent refused"]) > 0, done
