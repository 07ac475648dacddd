"""Tests of the flow behind a PgBouncer in transaction mode, which gives each transaction another of its few connections.

With `postgres.prepared_statements = false`; notifications do not work there, so changes are found by polling.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from tests.flows.apps import App, good, refused
from tests.flows.browsing import Person
from tests.flows.processes import Fleet, processes
from tests.flows.running import operate
from tests.flows.seeds import API, PASSWORD
from tests.flows.signing_in import tokens_by_challenge
from tests.pgbouncer import Bouncer, pgbouncer
from tests.postgres import Databases
from tests.races.rounds import code_rounds, crossing_rounds, refresh_rounds

SETTINGS: dict[str, dict[str, Any]] = {
    "postgres": {"prepared_statements": False},
    "passwords": {"threads": 2},
}
CONNECTIONS = 4


@pytest.fixture(scope="module")
def bouncer(postgres: Databases, pgbouncer_program: Path) -> Generator[Bouncer]:
    with pgbouncer(pgbouncer_program, postgres, connections=CONNECTIONS) as one:
        yield one


@pytest.fixture(scope="module")
def fleet(
    tmp_path_factory: pytest.TempPathFactory, postgres: Databases, bouncer: Bouncer
) -> Generator[Fleet]:
    """Three processes with a pool of eight each, and four connections to the database."""
    url = postgres.create()
    with processes(
        tmp_path_factory.mktemp("fleet"), 3, sections=SETTINGS, database=bouncer.through(url)
    ) as started:
        yield started
        assert [trouble for server in started.servers for trouble in server.troubles()] == []
    postgres.drop(url)


@pytest.mark.anyio
@pytest.mark.requirement(15, 18)
async def test_the_races_have_one_winner(fleet: Fleet, bouncer: Bouncer) -> None:
    await refresh_rounds(fleet, fleet.house.own, 5)
    await crossing_rounds(fleet, fleet.house.own, 5)
    await code_rounds(fleet, fleet.house.own, 5)
    behind = [line for line in bouncer.show("SERVERS") if line.startswith("S|")]
    assert 0 < len(behind) <= CONNECTIONS


def test_a_person_signs_in_an_app_refreshes_and_signing_out_ends_it(fleet: Fleet) -> None:
    app = fleet.house.own
    with Person(fleet.issuer) as person:
        attempt = app.begin("openid orders:read")
        tokens = app.redeem(attempt, person.sign_in(person.open(attempt.url), "ada@example.com", PASSWORD))
        newer = good(app.refresh(tokens.refresh))
        assert newer.claims["aud"] == API
        assert app.introspect(newer.access)["active"] is True
        person.press(person.open("/logout"), "sign-out")
        assert app.introspect(newer.access) == {"active": False}
        refused(app.refresh(newer.refresh))


def test_an_account_disabled_by_command_is_refused_on_every_process_at_once(fleet: Fleet) -> None:
    app = fleet.house.own
    tokens = tokens_by_challenge(app, "bob@example.com", "openid orders:read")
    operate(fleet.config, lambda services: services.get(admin.people).disable(os_actor(), "bob@example.com"))
    for server in fleet.servers:
        there = App(app.issuer, app.client_id, app.secret, base=server.base)
        assert there.introspect(tokens.access) == {"active": False}
        refused(there.refresh(tokens.refresh))
        there.close()
    operate(fleet.config, lambda services: services.get(admin.people).enable(os_actor(), "bob@example.com"))


def test_an_app_deleted_by_command_is_refused_by_every_process_within_a_second(fleet: Fleet) -> None:
    service = fleet.house.service
    good(service.token(grant_type="client_credentials", scope="orders:read"))
    operate(fleet.config, lambda services: services.get(admin.apps).delete(os_actor(), "Batch"))
    # an acknowledged change is seen by the next request
    for server in fleet.servers:
        there = App(service.issuer, service.client_id, service.secret, base=server.base)
        assert there.token(grant_type="client_credentials", scope="orders:read").status_code != 200
        there.close()
