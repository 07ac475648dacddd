"""Tests of refusals by PostgreSQL: read-only, too many connections, terminated connections, serialisation failures."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.failures.patience import patient_load
from tests.failures.witness import ADA, witness_of
from tests.flows.apps import healed
from tests.flows.processes import Fleet, processes
from tests.flows.signing_in import tokens_by_challenge
from tests.postgres import Postgres
from tests.races.rounds import code_rounds, refresh_rounds
from tests.waiting import until

SCOPE = "openid orders:read"
LIMITS: dict[str, dict[str, Any]] = {
    "postgres": {"pool_wait": 2, "connect_timeout": 2},
    "passwords": {"threads": 2},
}

READ_ONLY_SECONDS = 2.0


@contextmanager
def served(
    folder: Path, url: str, count: int = 1, sections: dict[str, dict[str, Any]] = LIMITS
) -> Generator[Fleet]:
    """Server processes on `url`; they must have logged no unexpected error."""
    with processes(folder, count, database=url, sections=sections) as fleet:
        yield fleet
        for server in fleet.servers:
            assert server.troubles() == []


def cut_off(frail: Postgres, url: str) -> None:
    """End every connection to the database, as an administrator can (57P01)."""
    name = urlsplit(url).path[1:]
    frail.query(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'")


def test_connections_that_an_administrator_ends_are_reopened(
    tmp_path: Path, frail: Postgres, frail_url: str
) -> None:
    with served(tmp_path, frail_url, 2) as fleet, witness_of(fleet) as witness:
        stop = threading.Event()
        with patient_load(fleet.house.own, [one.base for one in fleet.servers], stop) as load:
            for _ in range(10):
                load.goes_on(10)
                cut_off(frail, frail_url)
            load.goes_on(10)
            stop.set()
        assert load.wrong == []
        load.nobody_is_signed_out()
        cut_off(frail, frail_url)
        time.sleep(0.1)
        # idle connections that are cut are detected in time: a read is repeated without an error
        assert witness.app.introspect(witness.tokens.access)["active"] is True
        assert witness.recovered() < 10
        witness.everything_is_as_before()


def test_a_server_that_became_read_only_is_left_and_writes_are_503(
    tmp_path: Path, frail: Postgres, frail_url: str
) -> None:
    """As after a failover, when the address leads to a standby (25006)."""
    with served(tmp_path, frail_url) as fleet, witness_of(fleet) as witness:
        frail.query("ALTER SYSTEM SET default_transaction_read_only = on")
        frail.query("SELECT pg_reload_conf()")
        try:
            # the setting reaches the open sessions one by one
            until(lambda: witness.app.refresh(witness.newest).status_code == 503)
            last = time.monotonic() + READ_ONLY_SECONDS
            while time.monotonic() < last:
                seen = witness.look()
                assert seen.wrong == []
                assert seen.refused >= {"refresh", "JSON sign-in", "cookie refresh"}, seen.answers
        finally:
            # a session that may write again, for the command that lets all others write
            writing = f"{frail.base}?options=-c%20default_transaction_read_only%3Doff"
            frail.query("ALTER SYSTEM RESET default_transaction_read_only", writing)
            frail.query("SELECT pg_reload_conf()")
        assert witness.recovered() < 10
        witness.everything_is_as_before()


def test_a_database_at_its_connection_limit_is_a_503_until_there_is_room(
    tmp_path: Path, frail: Postgres, frail_url: str
) -> None:
    """53300. PostgreSQL's limits do not bind a superuser, so this database belongs to a plain role, as it should anyway."""
    role, name = f"r_{urlsplit(frail_url).path[3:]}", urlsplit(frail_url).path[1:]
    frail.query(f"CREATE ROLE {role} LOGIN; ALTER DATABASE {name} OWNER TO {role}")
    frail.query(f"ALTER SCHEMA public OWNER TO {role}", frail_url)
    url = f"postgresql://{role}@127.0.0.1:{frail.port}/{name}"
    with served(tmp_path, url) as fleet, witness_of(fleet) as witness:
        frail.query(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
        cut_off(frail, frail_url)
        time.sleep(0.1)
        witness.outage()
        frail.query(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
        assert witness.recovered() < 10
        witness.everything_is_as_before()
    frail.query(f"ALTER DATABASE {name} OWNER TO CURRENT_USER")
    frail.query(f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}", frail_url)
    frail.query(f"DROP ROLE {role}")


def test_fewer_connections_than_the_pool_wants_are_enough(
    tmp_path: Path, frail: Postgres, frail_url: str
) -> None:
    """Where PostgreSQL allows three connections and the pool wants eight, some requests get 503 and nothing is lost."""
    role, name = f"r_{urlsplit(frail_url).path[3:]}", urlsplit(frail_url).path[1:]
    frail.query(f"CREATE ROLE {role} LOGIN; ALTER DATABASE {name} OWNER TO {role}")
    frail.query(f"ALTER SCHEMA public OWNER TO {role}", frail_url)
    url = f"postgresql://{role}@127.0.0.1:{frail.port}/{name}"
    with served(tmp_path, url) as fleet:
        app = fleet.house.own
        chains = [tokens_by_challenge(app, ADA, SCOPE).refresh for _ in range(24)]
        cut_off(frail, frail_url)
        frail.query(f"ALTER DATABASE {name} CONNECTION LIMIT 3")
        for _ in range(5):
            with ThreadPoolExecutor(24) as crowd:
                answers = list(crowd.map(app.refresh, chains))
            counted = Counter(answer.status_code for answer in answers)
            assert set(counted) <= {200, 503}
            assert counted[200] > 0, counted
            chains = [
                answer.json()["refresh_token"] if answer.status_code == 200 else chain
                for answer, chain in zip(answers, chains, strict=True)
            ]
        frail.query(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
        for chain in chains:
            assert healed(lambda chain=chain: app.refresh(chain)).refresh
    frail.query(f"ALTER DATABASE {name} OWNER TO CURRENT_USER")
    frail.query(f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}", frail_url)
    frail.query(f"DROP ROLE {role}")


@pytest.mark.requirement(15, 18)
@pytest.mark.parametrize("isolation", ["serializable", "repeatable read"])
def test_races_in_serialisable_transactions_have_one_winner(
    isolation: str, tmp_path: Path, frail: Postgres, frail_url: str
) -> None:
    """As on the distributed engines, which offer no weaker isolation: a refused transaction (40001) is retried before the client
    gets a response; only where dozens end one grant at once, some get a 503, which a retry resolves."""
    name = urlsplit(frail_url).path[1:]
    frail.query(f"ALTER DATABASE {name} SET default_transaction_isolation = '{isolation}'")
    with served(tmp_path, frail_url, 3) as fleet:
        asyncio.run(refresh_rounds(fleet, fleet.house.own, 3))
        asyncio.run(code_rounds(fleet, fleet.house.own, 3, tries=8))
