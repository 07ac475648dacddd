"""`doorward demo`: it drives the whole flow, detects errors, and leaves no process running."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from rich.console import Console

from doorward_demo.demo.decoded import Decoded
from doorward_demo.demo.device.client import DeviceClient, NoAccess
from doorward_demo.demo.device.command import KEPT, login, logout, orders, show
from doorward_demo.demo.drive.failed import NotAsItShouldBe
from doorward_demo.demo.drive.run import drive
from doorward_demo.demo.drive.show import ForPeople
from doorward_demo.demo.drive.steps import STEPS, Step
from doorward_demo.demo.drive.wire import Exchange
from doorward_demo.dev.people import PEOPLE
from doorward_demo.dev.state import State
from tests.demo import running
from tests.flows.browsing import Person


class Heard:
    """Records the events of a drive."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.failed: tuple[str, NotAsItShouldBe] | None = None
        self.exchanges: list[Exchange] = []
        self.read: tuple[str, ...] = ()

    def begins(self, number: int, step: Step) -> None: ...
    def token(self, name: str, token: Decoded) -> None: ...
    def mail(self, subject: str, lines: Sequence[str]) -> None:
        self.read = (subject, *lines)

    def ends(self, steps: int, seconds: float) -> None: ...

    def exchange(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def holds(self, step: Step, ms: float, detail: str) -> None:
        self.steps.append(step.name)

    def fails(self, step: Step, ms: float, failed: NotAsItShouldBe) -> None:
        self.failed = (step.name, failed)


@pytest.mark.requirement(8, 18, 39, 58, 75)
def test_all_steps_pass_on_a_system_that_the_demo_starts_and_ends(tmp_path: Path) -> None:
    done = running.run(tmp_path, "demo", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    lines: list[dict[str, Any]] = [json.loads(line) for line in running.steps(done.stdout)]
    assert [line["step"] for line in lines] == [step.name for step in STEPS]
    for line in lines:
        assert set(line) == {"step", "ok", "ms", "detail"}
        assert line["ok"] is True
        assert line["ms"] > 0
        assert line["detail"]
    assert running.left_running(tmp_path) == []
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_it_drives_a_running_system_and_leaves_it_running(dev: running.Dev) -> None:
    done = running.run(dev.folder, "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"All {len(STEPS)} steps are as they should be" in done.stdout
    assert f"Driving {dev.state.places.issuer}, which runs already" in done.stderr
    assert "\x1b[" not in done.stdout, "no colours in a pipe"
    assert dev.process.poll() is None
    named = running.run(dev.folder, "demo", "--json", "--issuer", dev.state.places.issuer)
    assert named.returncode == 0, named.stdout + named.stderr


def test_the_output_contains_no_secret(dev: running.Dev) -> None:
    heard = Heard()
    assert drive(dev.state, heard) == 0
    shown = repr(heard.exchanges) + repr(heard.read)
    assert "ended" in heard.read[0], "the owner's mail comes last"
    assert "dw_rt_" in shown
    assert re.findall(r"(?:dw_|eyJ|code_verifier=)[A-Za-z0-9_.-]{20,}", shown) == []
    assert dev.state.apps.report.secret is not None
    assert dev.state.apps.report.secret not in shown


@pytest.mark.requirement(35)
def test_the_command_line_signs_in_by_its_code_lists_orders_and_signs_out(
    dev: running.Dev, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without its five seconds between polls: the person allows it in the first one."""
    state, kept, said = dev.state, tmp_path / KEPT, ""

    def allow(_: float) -> None:
        nonlocal said
        said += capsys.readouterr().out
        code = said.partition("Code  ")[2].split()[0]
        alice = PEOPLE[0]
        person = Person(state.places.issuer)
        page = person.sign_in(person.open(f"/device?user_code={code}"), alice.email, alice.password)
        page = person.press(person.press(page, "device-code"), "consent", "allow")
        assert "You allowed it" in page.words
        person.close()

    client = DeviceClient(state.places.issuer, state.apps.device.client_id, state.places.api, pause=allow)
    with pytest.raises(NoAccess, match="You are not signed in"):
        orders(client, state, kept)
    assert login(client, state, kept) == 0
    assert "✓ Signed in." in capsys.readouterr().out
    assert "█" not in said, "no QR code in a file"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert orders(client, state, kept) == 0
    assert "×" in capsys.readouterr().out
    assert logout(client, state, kept) == 0
    assert not kept.exists()
    drawn = io.StringIO()
    drawn.isatty = lambda: True
    show(client.begin(), drawn)
    assert "█" in drawn.getvalue()
    client.close()


@pytest.mark.parametrize(
    ("change", "step", "expected"),
    [
        ({"refresh_leeway": -1}, "replay", "status 400 for the replayed token"),
        (
            {"foreign_audience": "https://nobody.example.com"},
            "call_foreign_audience",
            "a token for another API",
        ),
    ],
)
def test_the_first_failed_step_ends_the_drive(
    dev: running.Dev, change: dict[str, Any], step: str, expected: str
) -> None:
    # The replay is refused only after the leeway of one second, so a slow machine gets another try.
    heard = Heard()
    for _ in range(5):
        heard = Heard()
        if drive(structs.replace(dev.state, **change), heard) == 1:
            break
    assert heard.failed is not None
    name, failed = heard.failed
    assert (name, failed.expected) == (step, expected)
    assert heard.steps == [s.name for s in STEPS[: [s.name for s in STEPS].index(step)]]


def test_a_system_that_does_not_answer_is_reported(dev: running.Dev, free_port: int) -> None:
    gone: State = structs.replace(dev.state, places=structs.replace(dev.state.places, port=free_port))
    heard = Heard()
    assert drive(gone, heard) == 1
    assert heard.failed is not None
    assert heard.failed[0] == "discover"
    assert "ConnectError" in heard.failed[1].came


def test_a_failure_reports_expected_and_actual_result() -> None:
    show = ForPeople()
    said = io.StringIO()
    show._console = Console(file=said, highlight=False, soft_wrap=True)
    show.fails(STEPS[0], 1.0, NotAsItShouldBe("status 200", "503"))
    assert "Expected status 200." in said.getvalue()
    assert "Came: 503" in said.getvalue()


def test_another_issuer_than_the_running_one_is_refused(dev: running.Dev) -> None:
    done = running.run(dev.folder, "demo", "--json", "--issuer", "http://localhost:1")
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert dev.state.places.issuer in said["error"]
    assert said["fix"]


def test_a_given_issuer_that_does_not_run_is_not_started(tmp_path: Path) -> None:
    done = running.run(tmp_path, "demo", "--issuer", "http://localhost:1")
    assert done.returncode == 1
    assert "doorward dev" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_drive_that_is_ended_early_leaves_nothing_running(tmp_path: Path, number: int) -> None:
    process = subprocess.Popen(
        running.command("demo", "--json"),
        cwd=tmp_path,
        env=running.environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert b"discover" in process.stdout.readline(), "it is under way"
    assert len(running.left_running(tmp_path)) >= 4
    os.kill(process.pid, number)
    process.stdout.read()
    process.stdout.close()
    assert process.wait(running.PATIENCE) != 0
    assert running.nothing_left(tmp_path), running.left_running(tmp_path)
