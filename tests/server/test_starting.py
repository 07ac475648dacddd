"""Tests of the moments before a server process can answer: the port is taken, and refuses connections."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from doorward.core.errors import OperatorError
from doorward.server.sockets import bind, listen
from doorward.server.start import try_port
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
    for reuse in (0, 1):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
            with pytest.raises(OSError, match="in use"):
                other.bind((HOST, free_port))
    with pytest.raises(OperatorError, match="listens on"):
        try_port(HOST, free_port, "http://login.example.com")
    assert start.go_on().ready().stop() == 0


def test_of_two_servers_that_start_at_once_one_says_that_the_port_is_taken(
    serve: Serve, tmp_path: Path, free_port: int
) -> None:
    """Both have bound it in the same moment, before either had reserved it."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, free_port))
        start = Start(serve, tmp_path, "1")
        with pytest.raises(OSError, match="in use"):
            other.listen()
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        served = start.go_on()
        assert served.process.wait(PATIENCE) == 1
    (line,) = [line for line in served.lines() if line["event"] == "server.cannot_listen"]
    assert (line["address"], line["reason"]) == (f"{HOST}:{free_port}", "Address already in use")
    assert "Traceback" not in served.log.read_text()


def test_a_port_with_connections_that_were_just_closed_can_be_listened_on_again(free_port: int) -> None:
    """The side that closes first keeps the connection for a minute; a restart does not wait for that."""
    for _ in range(2):
        with bind(HOST, free_port) as listener:
            listen(listener)
            with socket.create_connection((HOST, free_port)) as client:
                listener.accept()[0].close()
                assert client.recv(1) == b""
