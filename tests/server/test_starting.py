"""Tests of the moments before a server process can answer: the port is taken, and refuses connections."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from doorward.server.sockets import bind
from tests.server.conftest import Serve, Served
from tests.waiting import PATIENCE, until

HOST = "127.0.0.1"
SCRIPT = r"""
base64 -d | LC_ALL=C tr '\000-\377' '\200-\377\000-\177' | base64 -w0
grep -qa doorward.server /proc/$PPID/cmdline || exit 0
test -e hold && touch held
while test -e hold; do sleep 0.02; done
"""


def connects(port: int) -> bool:
    """Whether a connection to this port is accepted."""
    with socket.socket() as client:
        return client.connect_ex((HOST, port)) == 0


class Start:
    """A server whose first start waits for the program that wraps its key."""

    def __init__(self, serve: Serve, folder: Path, workers: str) -> None:
        script = folder / "key.sh"
        script.write_text(SCRIPT)
        command = json.dumps(f"sh {script}")
        with (folder / "doorward.toml").open("a") as settings:
            settings.write(f"[keys]\nwrap_command = {command}\nunwrap_command = {command}\n")
        self._hold = folder / "hold"
        self._hold.touch()
        self.served = serve("--workers", workers)
        until((folder / "held").exists, self.served.log.read_text, look=0.02)

    def go_on(self) -> Served:
        """End the wait."""
        self._hold.unlink()
        return self.served


@pytest.mark.requirement(58)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_is_starting_refuses_connections(
    serve: Serve, tmp_path: Path, free_port: int, workers: str
) -> None:
    """A balancer tries another node meanwhile. A connection that the kernel had accepted would wait, and the API behind it would hear of no
    revocation."""
    start = Start(serve, tmp_path, workers)
    assert not connects(free_port)
    with pytest.raises(OSError, match="in use"), socket.socket() as other:
        other.bind((HOST, free_port))
    assert start.go_on().ready().stop() == 0


def test_of_two_servers_that_start_at_once_one_says_that_the_port_is_taken(
    serve: Serve, tmp_path: Path, free_port: int
) -> None:
    """Both have bound it, which the system allows as long as none listens."""
    with bind(HOST, free_port) as other:
        start = Start(serve, tmp_path, "1")
        other.listen()
        served = start.go_on()
        assert served.process.wait(PATIENCE) == 1
    (line,) = [line for line in served.lines() if line["event"] == "server.cannot_listen"]
    assert (line["address"], line["reason"]) == (f"{HOST}:{free_port}", "Address already in use")
    assert "Traceback" not in served.log.read_text()
