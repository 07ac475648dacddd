"""Start and stop of `doorward dev`: start, restart, clean stop, and end together with its parent."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from doorward_demo.dev.folder import NAME, Folder
from doorward_demo.dev.people import PEOPLE
from doorward_demo.dev.places import free_places
from tests.demo import running


@dataclass
class Ended:
    """A run that has started, answered and stopped. Its folder is copied before another run uses it."""

    dev: running.Dev
    status: int
    answers: dict[str, int]
    left: list[str]

    def copy_to(self, folder: Path) -> None:
        """Begin a run with what this one left."""
        shutil.copytree(self.dev.folder / NAME, folder / NAME)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """One run for all tests that look at its end; it was started with a setting of another server."""
    folder = tmp_path_factory.mktemp("ended")
    started = running.start(folder, DOORWARD_ISSUER="https://auth.example.com")
    places = started.state.places
    urls = (places.issuer, f"{places.issuer}/_dev/outbox", places.shop, f"{places.api}/docs")
    answers = {url: httpx2.get(url, follow_redirects=True, trust_env=False).status_code for url in urls}
    status = started.stop()
    return Ended(started, status, answers, running.left_running(folder))


def test_it_starts_prints_its_addresses_and_stops_cleanly(ended: Ended) -> None:
    assert set(ended.answers.values()) == {200}
    for url in ended.answers:
        assert url.removesuffix("/") in ended.dev.printed
    for person in PEOPLE:
        assert person.email in ended.dev.printed
        assert person.password in ended.dev.printed
    assert ended.status == 0
    assert "nothing is left running" in ended.dev.printed
    assert ended.left == []
    assert Folder(ended.dev.folder).running() is None


def test_settings_of_another_server_in_the_environment_are_ignored(ended: Ended) -> None:
    assert "Not used here: DOORWARD_ISSUER" in ended.dev.printed
    assert ended.status == 0


def test_a_second_start_finds_the_same_people_and_apps(tmp_path: Path, ended: Ended) -> None:
    ended.copy_to(tmp_path)
    people = running.run(tmp_path, "user", "list", "--json", "--config", ".doorward-dev/doorward.toml").stdout
    second = running.start(tmp_path, ended.dev.state.places.port)
    try:
        assert second.state.apps == ended.dev.state.apps
        again = running.run(
            tmp_path, "user", "list", "--json", "--config", ".doorward-dev/doorward.toml"
        ).stdout
        assert json.loads(again) == json.loads(people)
        assert {person["email"] for person in json.loads(again)} == {person.email for person in PEOPLE}
    finally:
        second.stop()


def test_other_ports_change_all_addresses_and_keep_all_people(tmp_path: Path, ended: Ended) -> None:
    ended.copy_to(tmp_path)
    second = running.start(tmp_path, free_places().port)
    try:
        assert second.state.places != ended.dev.state.places
        assert second.state.apps == ended.dev.state.apps
        roles = running.run(
            tmp_path, "user", "show", "bob@example.com", "--json", "--config", ".doorward-dev/doorward.toml"
        )
        assert json.loads(roles.stdout)["roles"] == ["clerk"]
    finally:
        second.stop()


def test_reset_deletes_all_data(tmp_path: Path, ended: Ended) -> None:
    ended.copy_to(tmp_path)
    second = running.start(tmp_path, free_places().port, "--reset")
    try:
        assert second.state.apps != ended.dev.state.apps
    finally:
        second.stop()


def test_reset_keeps_a_folder_that_doorward_did_not_write(tmp_path: Path) -> None:
    mine = tmp_path / ".doorward-dev"
    mine.mkdir()
    (mine / "doorward.toml").write_text('issuer = "https://auth.example.com"\n')
    (mine / "doorward.db").write_text("precious")
    done = running.run(tmp_path, "dev", "--no-browser", "--reset", "--port", str(free_places().port))
    assert done.returncode == 1
    assert "not written by" in done.stderr
    assert (mine / "doorward.db").read_text() == "precious"


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGHUP, marks=pytest.mark.soak)])
def test_one_folder_is_used_by_one_run_until_ctrl_c_or_a_closed_terminal(tmp_path: Path, number: int) -> None:
    started = running.start(tmp_path)
    try:
        done = running.run(tmp_path, "dev", "--no-browser", "--port", str(free_places().port))
        assert done.returncode == 1
        assert started.state.places.issuer in done.stderr
        assert str(started.process.pid) in done.stderr
    finally:
        assert started.stop(number) == 0
    assert running.left_running(tmp_path) == []


def test_a_process_that_is_killed_ends_the_others(tmp_path: Path) -> None:
    """kill -9: first of the parent, whose children end; then, in the next run, of one child, which the parent names."""
    started = running.start(tmp_path)
    assert len(running.left_running(tmp_path)) == 4
    os.kill(started.process.pid, signal.SIGKILL)
    started.process.wait()
    assert running.nothing_left(tmp_path), running.left_running(tmp_path)
    assert Folder(tmp_path).running() is None, "the lock ended with the process"
    again = running.start(tmp_path, started.state.places.port)
    mark = str(tmp_path)
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                line = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"doorward_demo.demo.orders" in line and any(mark in part.decode() for part in line):
                os.kill(int(process.name), signal.SIGKILL)
    assert again.process.wait(running.PATIENCE) == 1
    assert "the demo API ended" in again.printed
    assert running.left_running(tmp_path) == []


def test_the_folder_is_private_and_never_committed(ended: Ended) -> None:
    own = ended.dev.folder
    folder = own / NAME
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "state.json").stat().st_mode & 0o077 == 0
    subprocess.run(["git", "init", "-q", str(own)], check=True)
    seen = subprocess.run(
        ["git", "status", "--porcelain"], cwd=own, capture_output=True, text=True, check=True
    )
    assert ".doorward-dev" not in seen.stdout
