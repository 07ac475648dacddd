"""Tests that a restore is refused while a server runs, under any PostgreSQL role, and that tables keep their owner."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.flows.apps import good
from tests.flows.processes import processes
from tests.flows.signing_in import tokens_by_challenge
from tests.moving import house
from tests.pgbouncer import pgbouncer
from tests.postgres import Databases

SCOPE = "openid orders:read offline_access"
RESTORE = ("restore", "a.bak", "--replace", "--yes", "--json", "--into")


def as_role(url: str, role: str) -> str:
    """The same database for another role."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{role}@{parts.hostname}:{parts.port}"))


@contextmanager
def role(postgres: Databases, url: str, rights: str = "") -> Generator[str]:
    """A role that may log in."""
    name = f"r_{secrets.token_hex(5)}"
    postgres.query(f"CREATE ROLE {name} LOGIN {rights}")
    try:
        yield name
    finally:
        postgres.query(f"REASSIGN OWNED BY {name} TO CURRENT_USER; DROP OWNED BY {name} CASCADE", url)
        postgres.query(f"ALTER DATABASE {urlsplit(url).path[1:]} OWNER TO CURRENT_USER")
        postgres.query(f"DROP ROLE {name}")


def owner(postgres: Databases, url: str) -> list[str]:
    """The owner of the tables."""
    return postgres.query("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'", url)


@pytest.fixture
def url(postgres: Databases) -> Generator[str]:
    made = postgres.create()
    yield made
    postgres.drop(made)


def test_the_administrators_restore_detects_the_servers_role_and_keeps_its_tables(
    tmp_path: Path, postgres: Databases, url: str
) -> None:
    with role(postgres, url) as mine, role(postgres, url) as reader:
        postgres.query(f"ALTER DATABASE {urlsplit(url).path[1:]} OWNER TO {mine}")
        postgres.query(f"ALTER SCHEMA public OWNER TO {mine}", url)
        with processes(tmp_path, 1, database=as_role(url, mine)) as fleet:
            tokens = tokens_by_challenge(fleet.house.own, "ada@example.com", SCOPE)
            house.done(house.doorward(fleet, "backup", "a.bak", "--json"))
            postgres.query(f"GRANT SELECT ON accounts TO {reader}", url)
            told = house.done(house.doorward(fleet, *RESTORE, url), 1)
            assert "connected" in told["error"]
            assert "Stop" in told["fix"]
            assert fleet.servers[0].troubles() == []
            fleet.servers[0].stop()
            house.done(house.doorward(fleet, *RESTORE, url))
            assert owner(postgres, url) == [mine]
            asked = "SELECT count(*) > 0 FROM accounts"
            assert postgres.query(asked, as_role(url, reader)) == ["t"]
            fleet.servers[0].start()
            good(fleet.house.own.refresh(tokens.refresh))


def test_a_server_behind_a_pooler_of_another_role_is_detected(
    tmp_path: Path, postgres: Databases, url: str, pgbouncer_program: Path
) -> None:
    """Nothing shows to whom its connections belong."""
    with role(postgres, url, "SUPERUSER") as other, pgbouncer(pgbouncer_program, postgres) as bouncer:
        sections = {"postgres": {"prepared_statements": False}}
        with processes(tmp_path, 1, database=bouncer.through(url), sections=sections) as fleet:
            tokens = tokens_by_challenge(fleet.house.own, "ada@example.com", SCOPE)
            house.done(house.doorward(fleet, "backup", "a.bak", "--json"))
            told = house.done(house.doorward(fleet, *RESTORE, as_role(url, other)), 1)
            assert "A server is running" in told["error"]
            # and it continues as before
            good(fleet.house.own.refresh(tokens.refresh))
            assert fleet.servers[0].troubles() == []
            # a killed server delays a restore only briefly
            fleet.servers[0].kill()
            house.done(house.doorward(fleet, *RESTORE, as_role(url, other)))
            fleet.servers[0].start()
            good(fleet.house.own.refresh(tokens.refresh))
