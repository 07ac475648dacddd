"""Tests of `doorward serve`: start, start message, a port shared among workers, and a graceful stop."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from tests import ports
from tests.server.conftest import Serve
from tests.waiting import PATIENCE, keeps, until


def test_the_server_logs_its_issuer_answers_and_stops_cleanly(serve: Serve, tmp_path: Path) -> None:
    served = serve().ready()
    assert served.get("/.well-known/openid-configuration")["issuer"] == served.url
    (line,) = [line for line in served.lines() if line["event"] == "server.ready"]
    assert (line["issuer"], line["workers"]) == (served.url, 1)
    assert served.stop() == 0
    assert sorted(path.name for path in tmp_path.glob("doorward.db*")) in (
        ["doorward.db"],
        ["doorward.db", "doorward.db-turn"],
    )


def test_the_serving_process_loads_no_module_that_only_commands_need(serve: Serve) -> None:
    served = serve().ready()
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    resident = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
    assert resident < 90
    arguments = Path(f"/proc/{served.process.pid}/cmdline").read_bytes()
    assert b"doorward.server" in arguments


@pytest.mark.parametrize("workers", ["1", "2"])
def test_modules_in_the_working_directory_are_not_imported(
    serve: Serve, tmp_path: Path, workers: str
) -> None:
    """A forgotten secrets.py, or one from an attacker who may write to that folder."""
    for name in ("secrets", "uvicorn", "token", "doorward"):
        (tmp_path / f"{name}.py").write_text(
            f"open({str(tmp_path / 'ran')!r}, 'w').close()\nraise SystemExit(7)\n"
        )
    served = serve("--workers", workers).ready()
    assert not (tmp_path / "ran").exists()
    assert served.stop() == 0


def test_workers_share_one_port_and_a_dead_one_is_replaced(serve: Serve) -> None:
    served = serve("--workers", "2").ready()

    def workers() -> list[int]:
        found: list[int] = []
        for status in Path("/proc").glob("[0-9]*/status"):
            with suppress(OSError):  # ended meanwhile
                if f"\nPPid:\t{served.process.pid}\n" in status.read_text():
                    found.append(int(status.parent.name))
        return found

    before = workers()
    assert len(before) == 2
    time.sleep(5.5)  # past the time within which a death counts as a failed start
    os.kill(before[0], signal.SIGKILL)
    until(lambda: len(workers()) == 2 and before[0] not in workers())
    assert served.get("/healthz")["status"] == "ok"
    assert any(line["event"] == "server.worker_died" for line in served.lines())
    running = workers()
    assert served.stop() == 0
    for pid in running:
        assert not Path(f"/proc/{pid}").exists()


def test_a_request_in_progress_is_answered_before_the_end(serve: Serve) -> None:
    served = serve().ready()
    with ThreadPoolExecutor(1) as pool:
        cursor = served.get("/revocations")["cursor"]
        held = pool.submit(served.get, f"/revocations?after={cursor}&wait=3")
        line = psutil.Process(served.process.pid)
        until(lambda: any(one.status == psutil.CONN_ESTABLISHED for one in line.net_connections("tcp")))
        time.sleep(0.5)
        assert served.stop() == 0
        assert held.result()["entries"] == []


def test_a_long_poll_does_not_delay_the_stop(serve: Serve) -> None:
    """The poll is longer than the grace period of a stopping process: the response comes at once, or never."""
    served = serve().ready()
    with ThreadPoolExecutor(1) as pool:
        cursor = served.get("/revocations")["cursor"]
        held = pool.submit(served.get, f"/revocations?after={cursor}&wait=20")
        line = psutil.Process(served.process.pid)
        until(lambda: any(one.status == psutil.CONN_ESTABLISHED for one in line.net_connections("tcp")))
        time.sleep(0.5)
        assert served.stop() == 0
        assert held.result()["entries"] == []


def test_a_taken_port_is_reported_with_exit_status_1(serve: Serve, free_port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        served = serve()
        assert served.process.wait(PATIENCE) == 1
    said = served.log.read_text()
    assert f"Something listens on 127.0.0.1:{free_port} already." in said
    assert "--port" in said
    assert "Traceback" not in said


@pytest.mark.skipif(not ports.HAS_IPV6, reason="this machine has no IPv6")
@pytest.mark.parametrize("workers", [1, 2])
def test_an_issuer_at_localhost_is_served_on_both_of_its_addresses(
    serve: Serve, tmp_path: Path, free_port: int, workers: int
) -> None:
    settings = tmp_path / "doorward.toml"
    settings.write_text(settings.read_text().replace("127.0.0.1", "localhost"))
    served = serve("--workers", str(workers)).ready()
    with urlopen(f"http://[::1]:{free_port}/readyz", timeout=PATIENCE) as answer:
        assert answer.status == 200
    assert served.stop() == 0
    with socket.socket(socket.AF_INET6) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("::1", free_port))
        taken.listen()
        served = serve()
        assert served.process.wait(PATIENCE) == 1
    assert f"Something listens on [::1]:{free_port} already." in served.log.read_text()


def test_a_lost_secret_key_is_reported_and_not_replaced(serve: Serve, tmp_path: Path) -> None:
    key = tmp_path / "doorward.key"
    assert serve().ready().stop() == 0
    key.unlink()
    served = serve()
    assert served.process.wait(PATIENCE) == 1
    assert f"There is no secret key in {key}" in served.log.read_text()
    assert not key.exists()


def test_a_server_that_cannot_start_reports_the_reason(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "doorward.key").write_text("nonsense")
    served = serve()
    assert served.process.wait(PATIENCE) == 1
    assert "not 32 bytes in base64" in served.log.read_text()
    assert "Traceback" not in served.log.read_text()
    several = serve("--workers", "2")
    assert several.process.wait(PATIENCE) == 1


def test_host_and_port_of_the_command_line_override_the_file(serve: Serve, tmp_path: Path) -> None:
    other = ports.free_port()
    served = serve("--port", str(other))
    served.url = f"http://127.0.0.1:{other}"
    served.ready()
    assert served.stop() == 0


def test_the_server_sees_a_commands_change_within_a_second(serve: Serve, tmp_path: Path) -> None:
    served = serve().ready()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    def until_seen() -> float:
        before = {key["kid"] for key in served.get("/jwks")["keys"]}
        subprocess.run(
            [sys.executable, "-m", "doorward", "keys", "rotate", "--force"],
            cwd=tmp_path, env=environment, check=True, capture_output=True,
        )  # fmt: skip
        began = time.monotonic()
        until(lambda: {key["kid"] for key in served.get("/jwks")["keys"]} != before)
        return time.monotonic() - began

    keeps(1, until_seen)


@pytest.mark.parametrize("workers", [1, 2])
def test_each_worker_has_its_own_metrics_port(serve: Serve, tmp_path: Path, workers: int) -> None:
    port = ports.free_ports(workers)
    text = (tmp_path / "doorward.toml").read_text()
    (tmp_path / "doorward.toml").write_text(f"{text}\n[metrics]\nport = {port}\n")
    served = serve("--workers", str(workers)).ready()

    def page(number: int) -> bytes:
        try:
            with urlopen(f"http://127.0.0.1:{port + number}/metrics", timeout=PATIENCE) as answer:
                return answer.read()
        except OSError:
            return b""

    for number in range(workers):
        until(lambda number=number: b"doorward_info" in page(number))
    assert served.stop() == 0
