"""Tests of the test PostgreSQL: start, stop, kill, freeze, restart, and cleanup."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.pgbouncer import pgbouncer
from tests.postgres import Databases, Postgres, named, postgres_server, query
from tests.waiting import PATIENCE
from tools import system

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def own(postgres_programs: Path):
    with postgres_server() as server:
        yield server


def test_each_test_has_a_database_of_its_own(postgres: Databases, postgres_url: str) -> None:
    postgres.query("CREATE TABLE here (a INT)", postgres_url)
    other = postgres.create()
    with pytest.raises(RuntimeError, match="does not exist"):
        postgres.query("SELECT a FROM here", other)
    postgres.drop(other)


def test_a_copy_holds_what_its_template_held(postgres: Databases, postgres_url: str) -> None:
    postgres.query("CREATE TABLE here (a INT); INSERT INTO here VALUES (7)", postgres_url)
    copied = postgres.create(template=postgres_url.rpartition("/")[2])
    assert postgres.query("SELECT a FROM here", copied) == ["7"]
    postgres.drop(copied)


def test_committed_data_survives_a_stop_and_a_kill(own: Postgres) -> None:
    url = own.create()
    own.query("CREATE TABLE here (a INT)", url)
    own.query("INSERT INTO here VALUES (1)", url)
    own.stop()
    assert not own.ready()
    own.start()
    own.query("INSERT INTO here VALUES (2)", url)
    own.kill()
    assert not own.ready()
    own.start()
    assert own.query("SELECT a FROM here ORDER BY a", url) == ["1", "2"]


def test_a_frozen_server_does_not_answer_until_it_is_thawed(own: Postgres) -> None:
    own.freeze()
    try:
        begun = subprocess.Popen(
            [str(own.bin / "psql"), "-XAtq", "-d", own.base, "-c", "SELECT 5"], stdout=subprocess.PIPE
        )
        time.sleep(0.3)
        assert begun.poll() is None
    finally:
        own.thaw()
    assert begun.communicate(timeout=PATIENCE)[0] == b"5\n"


def test_killed_tests_leave_no_server_and_no_folder(postgres_programs: Path) -> None:
    program = (
        "import time\n"
        "from tests.postgres import postgres_server\n"
        "with postgres_server() as server:\n"
        "    print(server.pid, server.data.parent, flush=True)\n"
        "    time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    pid, folder = child.stdout.readline().split()
    assert psutil.pid_exists(int(pid))
    assert Path(folder).is_dir()
    os.kill(child.pid, signal.SIGKILL)
    child.wait(PATIENCE)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and (_runs(int(pid)) or Path(folder).exists()):
        time.sleep(0.05)
    assert not _runs(int(pid))
    assert not Path(folder).exists()


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_pgbouncer_gives_each_transaction_any_of_its_few_connections(
    postgres: Databases, postgres_url: str, pgbouncer_program: Path
) -> None:
    with pgbouncer(pgbouncer_program, postgres, connections=1) as bouncer:
        url = bouncer.through(postgres_url)
        backends = {postgres.query("SELECT pg_backend_pid()", url)[0] for _ in range(3)}
        assert len(backends) == 1
        assert any("transaction" in line for line in bouncer.show("POOLS"))


def test_a_folder_without_postgresql_programs_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOORWARD_TEST_POSTGRES_BIN", str(tmp_path))
    found = system.postgres()
    assert isinstance(found, system.Missing)
    assert str(tmp_path) in str(found)


def test_a_url_of_another_database_on_the_same_server() -> None:
    assert named("postgresql://a@b:1/c?x=y", "d") == "postgresql://a@b:1/d?x=y"


def test_an_error_contains_postgresqls_message(postgres: Databases) -> None:
    with pytest.raises(RuntimeError, match="division by zero"):
        query(postgres.bin, postgres.base, "SELECT 1/0")
