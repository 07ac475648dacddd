"""Tests of PostgreSQL down for three seconds, in `make soak` for ten: stopped, killed, or hanging with all its connections open.

Requests that need the database get 503 with Retry-After, at once when nothing listens and within the limits when nothing answers.
The rest continues: keys and metadata; an app's permissions are cached for one second; and APIs use what they know.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.failures.patience import patient_load
from tests.failures.witness import NEEDS_NEWS, NEEDS_NOTHING, witness_of
from tests.flows.apis import Api
from tests.flows.processes import processes
from tests.flows.seeds import API
from tests.postgres import Postgres

AWAY = [3.0, pytest.param(10.0, marks=pytest.mark.soak)]
LIMITS: dict[str, dict[str, Any]] = {
    "postgres": {"statement_timeout": 2, "connect_timeout": 2, "pool_wait": 1},
    "passwords": {"threads": 2},
}
LONGEST = 2 + 2 + 2 + 1 + 4
"""The sum of the limits, the grace of two seconds, and a slow machine."""


@pytest.mark.parametrize("away", AWAY)
def test_seconds_without_postgresql(tmp_path: Path, frail: Postgres, frail_url: str, away: float) -> None:
    with (
        processes(tmp_path, 1, database=frail_url) as fleet,
        witness_of(fleet) as witness,
        Api(fleet.issuer, API) as api,
    ):
        unused = witness.code()
        assert api.refusal(witness.tokens.access) is None
        frail.stop()
        until = time.monotonic() + away
        while time.monotonic() < until:
            seen = witness.outage()
            assert max(seen.seconds.values()) < 5, "nothing listens: that is known at once"
            assert witness.redeem(unused).status_code == 503
            # an API calls no server for a token: it continues with its keys and revocations
            assert api.refusal(witness.tokens.access) is None
            assert api.refusal(witness.ended.access) == "revoked"
            time.sleep(0.5)
        assert NEEDS_NEWS in witness.outage().refused, "an app's permissions were cached for over a second"
        frail.start()
        assert witness.recovered() < 10
        witness.everything_is_as_before()
        assert witness.redeem(unused).status_code == 200
        # a new revocation reaches the API, whose pauses between two polls have grown meanwhile
        assert witness.app.post("/revoke", token=witness.tokens.refresh).status_code == 200
        assert api.refused_after(witness.tokens.access)[1] == "revoked"
        assert fleet.servers[0].troubles() == []


@pytest.mark.parametrize("away", AWAY)
def test_seconds_with_a_postgresql_that_hangs(
    tmp_path: Path, frail: Postgres, frail_url: str, away: float
) -> None:
    with (
        processes(tmp_path, 1, database=frail_url, sections=LIMITS) as fleet,
        witness_of(fleet) as witness,
        Api(fleet.issuer, API) as api,
    ):
        assert api.refusal(witness.tokens.access) is None
        frail.freeze()
        until = time.monotonic() + away
        while time.monotonic() < until:
            seen = witness.outage()
            assert max(seen.seconds.values()) < LONGEST, seen.seconds
            assert max(seen.seconds[name] for name in NEEDS_NOTHING) < 4, (
                "a request without the database waited"
            )
            assert api.refusal(witness.tokens.access) is None
            assert api.refusal(witness.ended.access) == "revoked"
        assert NEEDS_NEWS in witness.outage().refused
        frail.thaw()
        assert witness.recovered() < 10
        witness.everything_is_as_before()
        assert fleet.servers[0].troubles() == []


def test_a_server_that_starts_without_postgresql_reports_it_and_exits(
    tmp_path: Path, frail: Postgres, frail_url: str
) -> None:
    with processes(tmp_path, 1, database=frail_url) as fleet:
        server = fleet.servers[0]
        server.stop()
        frail.stop()
        with pytest.raises(RuntimeError, match="does not start"):
            server.start()
        assert "Traceback" not in server.log.read_text()
        assert "cannot be opened" in server.log.read_text()
        frail.start()
        server.start()


def test_a_server_can_be_stopped_while_postgresql_hangs(
    tmp_path: Path, frail: Postgres, frail_url: str
) -> None:
    with processes(tmp_path, 1, database=frail_url, sections=LIMITS) as fleet, witness_of(fleet) as witness:
        frail.freeze()
        witness.outage()
        # returns while it hangs
        fleet.servers[0].stop()
        frail.thaw()
        fleet.servers[0].start()
        witness.everything_is_as_before()


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_restarts_and_kills_of_postgresql_under_load_sign_nobody_out(
    tmp_path: Path, frail: Postgres, frail_url: str, times: int
) -> None:
    with processes(tmp_path, 2, database=frail_url) as fleet:
        stop = threading.Event()
        with patient_load(fleet.house.own, [one.base for one in fleet.servers], stop) as load:
            for end in (frail.stop, frail.kill) * times:
                load.goes_on(10)
                end()
                load.is_refused()
                time.sleep(0.5)
                frail.start()
            load.goes_on(20)
            stop.set()
        assert load.wrong == []
        assert load.refused > 0, "the load did not meet an outage"
        load.nobody_is_signed_out()
        for server in fleet.servers:
            assert server.troubles() == []
