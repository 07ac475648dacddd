"""Tests of the doctor's checks of PostgreSQL, poolers and the cache; no message contains a password."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from doorward.ops.doctor.check import Check
from doorward.ops.doctor.checks.postgres import way
from doorward.ops.doctor.doctor import examine
from doorward.settings import load
from doorward.settings.problems import SettingsError
from doorward.storage.sql.open import open_store
from tests.pgbouncer import pgbouncer
from tests.postgres import Databases, named
from tests.valkey import valkey_server

# A server for tests only may lose data at a power cut, and the doctor reports it.
THROWN_AWAY = ["database durability"]


def examined(folder: Path, database: str, more: str = "") -> dict[str, Check]:
    """The findings for a database."""
    path = folder / "doorward.toml"
    path.write_text(
        f'issuer = "http://127.0.0.1:1"\ndevelopment = true\ndatabase = "{database}"\n{more}\n'
        '[server]\nhost = "127.0.0.1"\n'
    )
    checks = asyncio.run(examine(load(path, {})))
    assert all(check.ok or check.fix for check in checks), checks
    return {check.name: check for check in checks}


def migrated(url: str) -> None:
    """The database after a first start."""

    async def run() -> None:
        await (await open_store(url)).close()

    asyncio.run(run())


def as_user(url: str, user: str, password: str) -> str:
    """The same database for another role."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{place}"))


def test_an_empty_database_is_filled_at_the_first_start(tmp_path: Path, postgres_url: str) -> None:
    checks = examined(tmp_path, postgres_url)
    assert [name for name, check in checks.items() if not check.ok] in ([], THROWN_AWAY)
    assert "first start" in checks["schema"].said


def test_a_database_in_use_passes_all_checks(tmp_path: Path, postgres_url: str) -> None:
    migrated(postgres_url)
    checks = examined(tmp_path, postgres_url)
    assert [name for name, check in checks.items() if not check.ok] in ([], THROWN_AWAY)
    assert "PostgreSQL 1" in checks["database"].said
    assert checks["schema"].said == "this program's"
    assert "agrees" in checks["database clock"].said
    assert checks["pooler"].said.startswith("none")
    assert "backup alone" in checks["standby"].said


def test_an_unencrypted_connection_over_the_network_is_reported() -> None:
    for here in (None, "127.0.0.1"):
        assert way(here, encrypted=False, named=False).fix == way(here, encrypted=True, named=False).fix == ""
    assert way("10.0.0.7", encrypted=True, named=True).fix == ""
    for encrypted in (False, True):
        assert "sslmode=verify-full" in way("10.0.0.7", encrypted=encrypted, named=False).fix


def test_too_many_processes_for_the_connections_are_found(tmp_path: Path, postgres_url: str) -> None:
    more = "[postgres]\npool_size = 200\n"
    found = examined(tmp_path, postgres_url, more)["database connections"]
    assert not found.ok
    assert "PgBouncer" in found.fix


def test_a_role_that_may_not_write_is_found(tmp_path: Path, postgres_url: str, postgres: Databases) -> None:
    migrated(postgres_url)
    role, password = f"reader_{abs(hash(postgres_url)) % 10**8}", "a-word-of-the-tests"
    postgres.query(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'", postgres_url)
    try:
        postgres.query(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", postgres_url)
        found = examined(tmp_path, as_user(postgres_url, role, password))["database rights"]
        assert not found.ok
        assert "accounts" in found.said
        assert "GRANT" in found.fix
    finally:
        postgres.query(f"DROP OWNED BY {role}", postgres_url)
        postgres.query(f"DROP ROLE {role}", postgres_url)


def test_a_role_that_cannot_create_the_first_tables_is_found(
    tmp_path: Path, postgres_url: str, postgres: Databases
) -> None:
    role, password = f"guest_{abs(hash(postgres_url)) % 10**8}", "a-word-of-the-tests"
    postgres.query(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'", postgres_url)
    try:
        postgres.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC", postgres_url)
        found = examined(tmp_path, as_user(postgres_url, role, password))["database rights"]
        assert not found.ok
        assert f"GRANT CREATE ON SCHEMA public TO {role}" in found.fix
    finally:
        postgres.query(f"DROP ROLE {role}", postgres_url)


def test_a_commit_that_does_not_wait_for_the_disk_is_found(
    tmp_path: Path, postgres_url: str, postgres: Databases
) -> None:
    name = urlsplit(postgres_url).path.lstrip("/")
    postgres.query(f'ALTER DATABASE "{name}" SET synchronous_commit = off', postgres_url)
    found = examined(tmp_path, postgres_url)["database durability"]
    assert not found.ok
    assert "spent token is unspent" in found.said


def test_an_encoding_that_cannot_hold_every_name_is_found(
    tmp_path: Path, postgres_url: str, postgres: Databases
) -> None:
    name = f"latin_{urlsplit(postgres_url).path[1:]}"
    postgres.query(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    url = named(postgres_url, name)
    try:
        found = examined(tmp_path, url)["database"]
        assert not found.ok
        assert "LATIN1" in found.said
        assert "--encoding=UTF8" in found.fix
    finally:
        postgres.drop(url)


def test_each_reason_for_a_failed_connection_has_its_own_fix(tmp_path: Path, postgres_url: str) -> None:
    def fix(url: str) -> str:
        found = examined(tmp_path, url)["database"]
        assert not found.ok
        return found.fix

    assert "createdb" in fix(named(postgres_url, "not_there"))
    with pytest.raises(SettingsError, match="Did you mean sslmode"):
        fix(f"{postgres_url}?sslmod=require")
    assert "the user and the password" in fix(as_user(postgres_url, "not_there", "hush-hush-hush"))
    assert "Start PostgreSQL" in fix("postgresql://doorward@127.0.0.1:1/doorward")


@pytest.mark.parametrize("where", ["127.0.0.1:1", "127.0.0.1:1,127.0.0.1:2"])
def test_a_missing_database_server_is_one_finding_without_the_password(tmp_path: Path, where: str) -> None:
    checks = examined(tmp_path, f"postgresql://doorward:hush-hush-hush@{where}/doorward")
    assert not checks["database"].ok
    assert "schema" not in checks
    assert "hush-hush" not in str(checks)
    assert "***" in checks["database"].said


def test_the_eviction_policy_of_a_cache_is_checked(tmp_path: Path, postgres_url: str) -> None:
    with valkey_server("--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru") as valkey:
        found = examined(tmp_path, postgres_url, f'cache = "{valkey.url}"\n')["cache"]
        assert not found.ok
        assert "noeviction" in found.fix
    with valkey_server() as valkey:
        assert examined(tmp_path, postgres_url, f'cache = "{valkey.url}"\n')["cache"].ok
    away = examined(tmp_path, postgres_url, 'cache = "redis://:hush-hush-hush@127.0.0.1:1/0"\n')["cache"]
    assert not away.ok
    assert "hush-hush" not in str(away)


def test_a_pooler_in_between_is_detected(
    tmp_path: Path, postgres: Databases, pgbouncer_program: Path, postgres_url: str
) -> None:
    with pgbouncer(pgbouncer_program, postgres) as bouncer:
        url = bouncer.through(postgres_url)
        found = examined(tmp_path, url)["database"]
        assert not found.ok
        assert "prepared_statements = false" in found.fix
        assert examined(tmp_path, url, "[postgres]\nprepared_statements = false\n")["pooler"].ok
