"""What happens when the connection to the database is cut in the middle of something, before it was done or before anybody heard?

The answer is 503, since nobody knows; and whoever asks again gets what is true. Nobody is signed out and nothing is spent twice.
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
    """One server at the end of the cable."""
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
def test_a_rotation_that_nobody_heard_of_is_found_by_the_retry(
    answered: bool, line: Cable, app: App, witness: Witness
) -> None:
    parent = tokens_by_challenge(app, ADA, SCOPE).refresh
    # of all that is sent for a refresh only the write names the hash of the token that it spends
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
def test_a_redemption_that_was_not_done_is_done_by_the_retry(line: Cable, app: App, witness: Witness) -> None:
    code = witness.code()
    # the first that names the code's hash looks it up, the second spends it
    line.cut_at(digest(code[0]), answered=False, skip=1)
    lost = witness.redeem(code)
    unavailable(lost.status_code, lost.headers.get("retry-after"))
    assert good(app.refresh(good(witness.redeem(code)).refresh)).refresh


@pytest.mark.requirement(15)
def test_a_redemption_that_was_done_is_found_out_before_anybody_hears_503(
    line: Cable, app: App, witness: Witness
) -> None:
    """A second redemption would end the grant (OAuth 2.1 §4.1.3), so that the retry must not be needed."""
    code = witness.code()
    cuts = line.cuts
    line.cut_at(digest(code[0]), answered=True, skip=1)
    given = good(witness.redeem(code))
    assert line.cuts == cuts + 1
    assert app.introspect(given.access)["active"] is True
    assert good(app.refresh(given.refresh)).refresh
    refused(witness.redeem(code))
    assert app.introspect(given.access) == {"active": False}, "and twice is twice"


def test_a_read_that_was_cut_off_is_asked_again_and_nobody_notices(
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
def test_a_revocation_that_nobody_heard_of_holds_after_the_retry(
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
def test_a_sign_in_whose_end_nobody_heard_of_goes_on(answered: bool, line: Cable, fleet: Fleet) -> None:
    with Person(fleet.issuer) as person:
        page = person.open("/sign-in")
        cuts = line.cuts
        line.cut_at(b"sign_in.succeeded", answered=answered)
        seen = person.sign_in(page, ADA, PASSWORD)
        assert line.cuts == cuts + 1
        assert seen.status == 503
        assert seen.headers["retry-after"].isdigit()
        # whatever had happened: the way leads on, by the same form or by a fresh one
        seen = person.open("/account")
        if seen.path != "/account":
            seen = person.sign_in(seen, ADA, PASSWORD)
        assert (seen.status, seen.path) == (200, "/account")


def test_a_cable_that_breaks_all_the_time_signs_nobody_out(line: Cable, app: App, witness: Witness) -> None:
    chance = random.Random(7)
    stop = threading.Event()
    with patient_load(app, [app.base], stop) as load:
        for _ in range(60):
            time.sleep(chance.uniform(0.02, 0.12))
            line.cut()
        stop.set()
    assert load.wrong == []
    assert load.refused > 0, "no cut was felt"
    load.nobody_is_signed_out()
    witness.everything_is_as_before()


def test_a_cable_that_is_pulled_and_plugged_in_again(line: Cable, witness: Witness) -> None:
    line.pull()
    witness.outage()
    line.plug()
    assert witness.recovered() < 10
    witness.everything_is_as_before()


def test_connections_that_lead_nowhere_are_given_up_after_the_limit_and_all_together(
    line: Cable, witness: Witness
) -> None:
    """A router between us and the database has forgotten them: nobody says so, nothing answers, and new ones work."""
    witness.everything_is_as_before()
    line.forget()
    seen = witness.look()
    assert seen.wrong == []
    assert seen.refused, "nobody met a dead connection"
    assert max(seen.seconds.values()) < 12
    assert witness.recovered() < 10
    witness.everything_is_as_before()
