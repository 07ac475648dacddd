"""Start and stop of `doorward dev`: start, restart, clean stop, and end together with its parent."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import httpx2
import pytest

from doorward_demo.dev.folder import NAME, Folder
from doorward_demo.dev.people import PEOPLE
from doorward_demo.dev.places import free_places
from doorward_demo.dev.state import read
from tests.demo import running


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> running.Dev:
    """A run that has started and stopped. Its folder is copied before another run uses it."""
    started = running.start(tmp_path_factory.mktemp("ended"))
    assert started.stop() == 0
    return started


def test_it_starts_prints_its_addresses_and_stops_cleanly(tmp_path: Path) -> None:
    started = running.start(tmp_path)
    places = started.state.places
    for url in (places.issuer, f"{places.issuer}/_dev/outbox", places.shop, f"{places.api}/docs"):
        assert httpx2.get(url, follow_redirects=True, trust_env=False).status_code == 200
        assert url.removesuffix("/") in started.printed
    for person in PEOPLE:
        assert person.email in started.printed
        assert person.password in started.printed
    assert started.stop() == 0
    assert "nothing is left running" in started.printed
    assert running.left_running(tmp_path) == []
    assert Folder(tmp_path).running() is None


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGHUP, marks=pytest.mark.soak)])
def test_ctrl_c_and_a_closed_terminal_are_clean_stops(tmp_path: Path, number: int) -> None:
    started = running.start(tmp_path)
    assert started.stop(number) == 0
    assert running.left_running(tmp_path) == []


def test_a_second_start_finds_the_same_people_and_apps(tmp_path: Path) -> None:
    first = running.start(tmp_path)
    people = running.run(tmp_path, "user", "list", "--json", "--config", ".doorward-dev/doorward.toml").stdout
    assert first.stop() == 0
    second = running.start(tmp_path, first.state.places.port)
    try:
        assert second.state.apps == first.state.apps
        again = running.run(
            tmp_path, "user", "list", "--json", "--config", ".doorward-dev/doorward.toml"
        ).stdout
        assert json.loads(again) == json.loads(people)
        assert {person["email"] for person in json.loads(again)} == {person.email for person in PEOPLE}
    finally:
        second.stop()


def test_other_ports_change_all_addresses_and_keep_all_people(tmp_path: Path, ended: running.Dev) -> None:
    shutil.copytree(ended.folder / NAME, tmp_path / NAME)
    second = running.start(tmp_path, free_places().port)
    try:
        assert second.state.places != ended.state.places
        assert second.state.apps == ended.state.apps
        roles = running.run(
            tmp_path, "user", "show", "bob@example.com", "--json", "--config", ".doorward-dev/doorward.toml"
        )
        assert json.loads(roles.stdout)["roles"] == ["clerk"]
    finally:
        second.stop()


def test_reset_deletes_all_data(tmp_path: Path, ended: running.Dev) -> None:
    shutil.copytree(ended.folder / NAME, tmp_path / NAME)
    second = running.start(tmp_path, free_places().port, "--reset")
    try:
        assert second.state.apps != ended.state.apps
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


def test_one_folder_can_be_used_by_one_run_only(tmp_path: Path) -> None:
    started = running.start(tmp_path)
    try:
        done = running.run(tmp_path, "dev", "--no-browser", "--port", str(free_places().port))
        assert done.returncode == 1
        assert started.state.places.issuer in done.stderr
        assert str(started.process.pid) in done.stderr
    finally:
        started.stop()


def test_kill_9_of_the_parent_ends_its_children(tmp_path: Path) -> None:
    started = running.start(tmp_path)
    assert len(running.left_running(tmp_path)) == 4
    os.kill(started.process.pid, signal.SIGKILL)
    started.process.wait()
    assert running.nothing_left(tmp_path), running.left_running(tmp_path)
    assert Folder(tmp_path).running() is None, "the lock ended with the process"
    again = running.start(tmp_path, started.state.places.port)
    assert again.stop() == 0


def test_a_child_that_dies_ends_the_run_and_is_named(tmp_path: Path) -> None:
    started = running.start(tmp_path)
    mark = str(tmp_path)
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                line = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"doorward_demo.demo.orders" in line and any(mark in part.decode() for part in line):
                os.kill(int(process.name), signal.SIGKILL)
    assert started.process.wait(running.PATIENCE) == 1
    assert "the demo API ended" in started.printed
    assert running.left_running(tmp_path) == []


def test_the_folder_is_private_and_never_committed(ended: running.Dev) -> None:
    folder = ended.folder / NAME
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "state.json").stat().st_mode & 0o077 == 0
    subprocess.run(["git", "init", "-q", str(ended.folder)], check=True)
    seen = subprocess.run(
        ["git", "status", "--porcelain"], cwd=ended.folder, capture_output=True, text=True, check=True
    )
    assert ".doorward-dev" not in seen.stdout


def test_settings_of_another_server_in_the_environment_are_ignored(tmp_path: Path) -> None:
    port = free_places().port
    process = subprocess.Popen(
        running.command("dev", "--no-browser", "--port", str(port)),
        cwd=tmp_path,
        env={**running.environment(tmp_path), "DOORWARD_ISSUER": "https://auth.example.com"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + running.PATIENCE
    while (state := read(tmp_path / ".doorward-dev" / "state.json")) is None or not state.ready:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.1)
    process.terminate()
    said, _ = process.communicate(timeout=running.PATIENCE)
    assert "Not used here: DOORWARD_ISSUER" in said
    assert process.returncode == 0
