"""Tests of a database connection that is cut during a request, before or after the database has executed it.

The response is 503, since the result is unknown; a retry gets the true result. Nobody is signed out and nothing is spent twice.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Generator
from typing import Any

import pytest

from doorward.core.model.digest import digest
from tests.failures.cable import Cable, cable
from tests.failures.patience import patient_load
from tests.failures.witness import ADA, Witness, witness_of
from tests.flows.apps import App, good, refused
from tests.flows.browsing import Person
from tests.flows.processes import Fleet, processes
from tests.flows.seeds import PASSWORD
from tests.flows.signing_in import tokens_by_challenge
from tests.postgres import Postgres

SCOPE = "openid orders:read"
LIMITS: dict[str, dict[str, Any]] = {
    "postgres": {"statement_timeout": 2, "connect_timeout": 2, "pool_wait": 5},
    "passwords": {"threads": 2},
}


@pytest.fixture(scope="module")
def line(frail: Postgres) -> Generator[Cable]:
    with cable(frail.port) as one:
        yield one


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, frail: Postgres, line: Cable) -> Generator[Fleet]:
    """One server behind the relay."""
    database = line.through(frail.create())
    with processes(tmp_path_factory.mktemp("fleet"), 1, sections=LIMITS, database=database) as started:
        yield started
        assert started.servers[0].troubles() == []


@pytest.fixture(scope="module")
def witness(fleet: Fleet) -> Generator[Witness]:
    with witness_of(fleet) as one:
        yield one


@pytest.fixture
def app(fleet: Fleet) -> App:
    return fleet.house.own


def unavailable(status: int, later: str | None) -> None:
    assert (status, later is not None and later.isdigit()) == (503, True)


@pytest.mark.requirement(18)
@pytest.mark.parametrize("answered", [False, True], ids=["before it was done", "after it was done"])
def test_a_rotation_with_a_lost_response_is_found_by_the_retry(
    answered: bool, line: Cable, app: App, witness: Witness
) -> None:
    parent = tokens_by_challenge(app, ADA, SCOPE).refresh
    # of all statements of a refresh only the write contains the hash of the token that it spends
    cuts = line.cuts
    line.cut_at(digest(parent), answered=answered)
    lost = app.refresh(parent)
    assert line.cuts == cuts + 1
    unavailable(lost.status_code, lost.headers.get("retry-after"))
    successor = good(app.refresh(parent)).refresh
    assert good(app.refresh(parent)).refresh == successor, "the token had two successors"
    newest = good(app.refresh(successor))
    assert app.introspect(newest.access)["active"] is True
    assert good(app.refresh(newest.refresh)).refresh
    witness.everything_is_as_before()


@pytest.mark.requirement(15)
def test_a_redemption_that_was_not_executed_is_executed_by_the_retry(
    line: Cable, app: App, witness: Witness
) -> None:
    code = witness.code()
    # the first statement with the code's hash looks it up, the second spends it
    line.cut_at(digest(code[0]), answered=False, skip=1)
    lost = witness.redeem(code)
    unavailable(lost.status_code, lost.headers.get("retry-after"))
    assert good(app.refresh(good(witness.redeem(code)).refresh)).refresh


@pytest.mark.requirement(15)
def test_a_redemption_with_a_lost_response_is_found_before_any_503(
    line: Cable, app: App, witness: Witness
) -> None:
    """A second redemption would end the grant (OAuth 2.1 §4.1.3), so the client must not need a retry."""
    code = witness.code()
    cuts = line.cuts
    line.cut_at(digest(code[0]), answered=True, skip=1)
    given = good(witness.redeem(code))
    assert line.cuts == cuts + 1
    assert app.introspect(given.access)["active"] is True
    assert good(app.refresh(given.refresh)).refresh
    refused(witness.redeem(code))
    assert app.introspect(given.access) == {"active": False}, "a second redemption is a replay"


def test_a_read_with_a_lost_connection_is_repeated_without_an_error(
    line: Cable, app: App, witness: Witness
) -> None:
    for answered in (False, True):
        refresh = tokens_by_challenge(app, ADA, SCOPE).refresh
        cuts = line.cuts
        grant = refresh.removeprefix("dw_rt_")[:-73]
        line.cut_at(grant.encode(), answered=answered)
        assert app.introspect(refresh)["active"] is True
        assert line.cuts == cuts + 1
    witness.everything_is_as_before()


@pytest.mark.requirement(58)
def test_a_revocation_with_a_lost_response_holds_after_the_retry(
    line: Cable, app: App, witness: Witness
) -> None:
    for answered in (False, True):
        given = tokens_by_challenge(app, ADA, SCOPE)
        cuts = line.cuts
        line.cut_at(b"revoked", answered=answered)
        lost = app.post("/revoke", token=given.refresh)
        assert line.cuts == cuts + 1, lost.text
        unavailable(lost.status_code, lost.headers.get("retry-after"))
        assert app.post("/revoke", token=given.refresh).status_code == 200
        assert app.introspect(given.access) == {"active": False}
        refused(app.refresh(given.refresh))
    witness.everything_is_as_before()


@pytest.mark.parametrize("answered", [False, True], ids=["before it was done", "after it was done"])
def test_a_sign_in_with_a_lost_last_response_goes_on(answered: bool, line: Cable, fleet: Fleet) -> None:
    with Person(fleet.issuer) as person:
        page = person.open("/sign-in")
        cuts = line.cuts
        line.cut_at(b"ses_", answered=answered)
        seen = person.sign_in(page, ADA, PASSWORD)
        assert line.cuts == cuts + 1
        assert seen.status == 503
        assert seen.headers["retry-after"].isdigit()
        # in either case the sign-in continues, by the same form or by a fresh one
        seen = person.open("/account")
        if seen.path != "/account":
            seen = person.sign_in(seen, ADA, PASSWORD)
        assert (seen.status, seen.path) == (200, "/account")


def test_a_connection_that_breaks_repeatedly_signs_nobody_out(
    line: Cable, app: App, witness: Witness
) -> None:
    rng = random.Random(7)
    stop = threading.Event()
    with patient_load(app, [app.base], stop) as load:
        for _ in range(60):
            time.sleep(rng.uniform(0.02, 0.12))
            line.cut()
        stop.set()
    assert load.wrong == []
    assert load.refused > 0, "no cut took effect"
    load.nobody_is_signed_out()
    witness.everything_is_as_before()


@pytest.mark.soak
def test_nobody_is_signed_out_by_a_connection_that_is_down_for_a_while(line: Cable, witness: Witness) -> None:
    line.pull()
    witness.outage()
    line.plug()
    assert witness.recovered() < 10
    witness.everything_is_as_before()


def test_dead_connections_are_given_up_after_the_limit_and_all_together(
    line: Cable, witness: Witness
) -> None:
    """A router between us and the database has forgotten them: there is no error and no response, and new ones work."""
    witness.everything_is_as_before()
    line.forget()
    seen = witness.look()
    assert seen.wrong == []
    assert seen.refused, "no request met a dead connection"
    assert max(seen.seconds.values()) < 12
    assert witness.recovered() < 10
    witness.everything_is_as_before()
