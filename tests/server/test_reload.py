"""Tests of SIGHUP: new settings and new code without a lost request; the old ones stay in use where the new ones fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import Serve, Served
from tests.server.crowd import Crowd
from tests.waiting import until


def service(folder: Path) -> tuple[str, str]:
    """Id and secret of an app for client credentials."""
    audience = "https://api.example.com"
    operate(folder, "api", "create", audience, "--name", "orders", "--permission", "orders:read")
    made = operate(folder, "app", "create", "svc", "--kind", "service", "--api", "orders")
    return made["client_id"], made["client_secret"]


def operate(folder: Path, *arguments: str) -> dict[str, Any]:
    """Run a command on the database of `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
    done = subprocess.run(
        [sys.executable, "-m", "doorward", *arguments, "--json"],
        cwd=folder,
        env={**kept, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def told(served: Served, event: str) -> int:
    """How often a log event occurred."""
    return served.log.read_text().count(f'"event": "{event}"')


def wait_for(served: Served, event: str, times: int = 1) -> None:
    """Wait until it has occurred so often."""
    until(lambda: told(served, event) >= times or gone(served), lambda: served.log.read_text()[-3000:])
    assert not gone(served), served.log.read_text()[-3000:]


def gone(served: Served) -> bool:
    """Whether the process has ended."""
    return served.process.poll() is not None


def children(served: Served) -> set[int]:
    """The child processes."""
    found: set[int] = set()
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            if f"\nPPid:\t{served.process.pid}\n" in status.read_text():
                found.add(int(status.parent.name))
    return found


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.soak), 2])
@pytest.mark.parametrize("reloads", [1, pytest.param(10, marks=pytest.mark.soak)])
def test_reloads_under_load_lose_nothing(
    serve: Serve, tmp_path: Path, free_port: int, workers: int, reloads: int
) -> None:
    served = serve("--workers", str(workers)).ready()
    with Crowd(free_port, service(tmp_path)) as crowd:
        for times in range(1, reloads + 1):
            served.process.send_signal(signal.SIGHUP)
            wait_for(served, "server.reloaded", times)
        crowd.has_asked(5, "kept", "fresh", "resting", "waiting")
    assert crowd.failures == []
    assert len(children(served)) in {workers, 2 * workers}  # the last generation may still be stopping
    assert served.stop() == 0
    assert [line for line in served.lines() if line["level"] in {"error", "critical"}] == []


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.soak), 2])
def test_a_reload_reads_the_settings_again(serve: Serve, tmp_path: Path, workers: int) -> None:
    served = serve("--workers", str(workers)).ready()
    assert "token_endpoint" in served.get("/.well-known/openid-configuration")
    text = (tmp_path / "doorward.toml").read_text()
    (tmp_path / "doorward.toml").write_text(f'{text}[metrics]\ntoken = "a-token-of-the-tests"\n')
    before = served.process.pid
    served.process.send_signal(signal.SIGHUP)
    wait_for(served, "server.reloaded")
    done = subprocess.run(
        ["curl", "-sS", "-H", "Authorization: Bearer a-token-of-the-tests", f"{served.url}/metrics"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "doorward_info" in done.stdout
    assert served.process.pid == before
    assert served.stop() == 0


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_settings_with_a_mistake_change_nothing(
    serve: Serve, tmp_path: Path, free_port: int, workers: int
) -> None:
    served = serve("--workers", str(workers)).ready()
    app = service(tmp_path)
    good = (tmp_path / "doorward.toml").read_text()
    (tmp_path / "doorward.toml").write_text(good + 'isuer = "x"\n')
    with Crowd(free_port, app, kept=1, fresh=1) as crowd:
        served.process.send_signal(signal.SIGHUP)
        until(lambda: "has no setting isuer" in served.log.read_text())
        crowd.has_asked(20, "kept", "fresh")
        assert told(served, "server.reloaded") == 0
        (tmp_path / "doorward.toml").write_text(good)
        served.process.send_signal(signal.SIGHUP)
        wait_for(served, "server.reloaded")
    assert crowd.failures == []
    assert told(served, "server.reloaded") == 1
    assert served.stop() == 0


def test_workers_stop_when_their_supervisor_is_killed(serve: Serve) -> None:
    served = serve("--workers", "2").ready()
    below = children(served)
    assert len(below) == 2
    served.process.kill()
    served.process.wait()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))


def test_a_stop_in_the_middle_of_a_reload_stops(serve: Serve) -> None:
    for workers in ("1", "2"):
        served = serve("--workers", workers).ready()
        served.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert served.stop() in {0, 1}
        until(lambda served=served: not served.answers("/healthz"))
