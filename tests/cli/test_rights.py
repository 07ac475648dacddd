"""Tests of commands without permission to read what they need, and of the ownership of files that root's commands create."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Run

NOBODY = 65_534
ROOT = os.geteuid() == 0
COMMANDS = [
    ("doctor",),
    ("user", "list"),
    ("migrate",),
    ("keys", "list"),
    ("backup", "y.backup"),
    ("backup", "x.backup", "--verify"),
    ("restore", "x.backup", "--into", "new.db"),
    ("move", "data/doorward.db", "z.db"),
    ("user", "list", "--config", "doorward.toml"),
    ("app", "create", "x", "--jwks", "data/doorward.key"),
    ("keys", "rewrap", "--new-key-file", "data/other.key"),
]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, run: Run) -> Iterator[Path]:
    """A folder that everybody may enter, with a house that was used, so that nothing has to be imported later."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "doorward.toml").write_text(
        'issuer = "http://127.0.0.1:9000"\ndevelopment = true\ndatabase = "data/doorward.db"\n[passwords]\nthreads = 1\n'
    )
    monkeypatch.chdir(folder)
    for command in (("user", "list"), ("backup", "x.backup"), *COMMANDS):
        run(*command)
    for made in ("x.backup", "y.backup", "new.db", "z.db"):
        (folder / made).unlink(missing_ok=True)
    shutil.rmtree(folder / "data")
    run("user", "list")
    run("backup", "x.backup")
    yield folder
    shutil.rmtree(folder)


@contextmanager
def somebody_else(*closed: Path) -> Generator[None]:
    """Makes these files and folders unreadable for the duration of the block, as for another user."""
    modes = [(path, path.stat().st_mode & 0o777) for path in closed]
    for path in closed:
        path.chmod(0o700 if ROOT and path.is_dir() else 0o600 if ROOT else 0)
    if ROOT:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if ROOT:
            os.seteuid(0)
        for path, mode in modes:
            path.chmod(mode)


@pytest.mark.parametrize(
    "closed", ["data", "data/doorward.db", "data/doorward.key", "doorward.toml", "x.backup", "."]
)
def test_without_permissions_no_command_ends_in_a_traceback(place: Path, run: Run, closed: str) -> None:
    with somebody_else(place / closed):
        for command in COMMANDS:
            # an exception here would be a traceback
            ended = run(*command)
            assert ended.status in {0, 1, 2}
            assert ended.status == 0 or len(ended.out + ended.err) > 20


def test_the_doctor_runs_all_other_checks(place: Path, run: Run) -> None:
    with somebody_else(place / "data"):
        checks = {check["name"]: check for check in run("doctor", "--json").document["checks"]}
    assert not checks["database"]["ok"]
    assert "sudo -u doorward" in checks["database"]["fix"]
    assert {"settings", "mail", "port"} <= checks.keys()
    assert checks["port"]["ok"]


def test_a_certificate_that_only_the_server_may_read_stops_no_other_command(place: Path, run: Run) -> None:
    (place / "tls").mkdir()
    for name in ("cert.pem", "key.pem"):
        (place / "tls" / name).write_text("x")
    settings = (place / "doorward.toml").read_text()
    (place / "doorward.toml").write_text(
        f'{settings}[server]\ntls_cert = "tls/cert.pem"\ntls_key = "tls/key.pem"\n'
    )
    if ROOT:
        for path in [place / "data", *(place / "data").iterdir()]:
            os.chown(path, NOBODY, NOBODY)
    with somebody_else(place / "tls"):
        assert run("user", "list").status == 0


@pytest.mark.skipif(not ROOT, reason="only root can make files of somebody else")
def test_files_that_root_creates_in_the_servers_folder_belong_to_the_server(place: Path, run: Run) -> None:
    home = place / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    (place / "doorward.toml").write_text(
        'issuer = "http://127.0.0.1:9000"\ndatabase = "home/deep/doorward.db"\n'
    )
    assert run("user", "create", "ada@example.com", "--no-password").status == 0
    assert run("backup", "home.backup").status == 0
    assert run("restore", "home.backup", "--into", "home/restored/doorward.db").status == 0
    made = list(home.rglob("*"))
    assert {path.name for path in made} >= {
        "deep",
        "restored",
        "doorward.db",
        "doorward.key",
        "doorward.db-turn",
    }
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(NOBODY, NOBODY)}
    # in root's own folder they belong to root
    assert (place / "data" / "doorward.db").stat().st_uid == 0
    os.chown(place, NOBODY, NOBODY)
    with somebody_else():
        assert run("user", "list", "--json").document[0]["email"] == "ada@example.com"


@pytest.mark.skipif(not ROOT, reason="only root can make files of somebody else")
def test_a_database_of_root_is_reported_with_its_owner(place: Path, run: Run) -> None:
    (place / "data").chmod(0o755)
    with somebody_else(place / "data" / "doorward.db"):
        ended = run("user", "list")
    assert ended.status == 1
    assert "doorward.db belongs to root, and this is nobody: chown nobody" in ended.err
