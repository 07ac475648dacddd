"""Real server on a database of a given size, as its clients see it.

`doorward serve` as an operator starts it. A client needs only numbers: it draws a grant at random, and the
grant's number gives the token.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import quote, urlencode

from bench import requests
from bench.connection import Flow, Group
from bench.load import Result, run
from bench.process import BUILD, free_port, running
from bench.rounds import valid
from bench.scale.content import World
from bench.scale.grounds import Ground
from bench.scale.grown import State, config, label
from bench.scale.operations import HTTP_SHARE, READ_SHARE, SHARES, draw
from bench.server import RESOURCE, SCOPE

CONNECTIONS = 32
_START_SECONDS = 60
_REFRESH_TOKEN = re.compile(rb'"refresh_token"\s*:\s*"([^"\\]+)"')


@dataclass(frozen=True, slots=True)
class Served:
    """A running server on a database of a known size. `held`: tokens that replaced a grant's first one."""

    port: int
    pid: int
    grants: int
    world: World
    service: str
    web: str
    held: dict[int, str]

    @property
    def host(self) -> str:
        """Value of the Host header."""
        return f"127.0.0.1:{self.port}"

    def introspection(self, connections: int = CONNECTIONS) -> list[Flow]:
        """Connections that introspect refresh tokens."""
        return [self._asking(Random(number)) for number in range(connections)]

    def refresh(self, seed: int, connections: int = CONNECTIONS) -> list[Flow]:
        """Connections that exchange refresh tokens; each has its own grants."""
        return [
            self._exchanging(Random(f"{seed}.{number}"), number, connections) for number in range(connections)
        ]

    def client_credentials(self, connections: int = CONNECTIONS) -> list[Flow]:
        """Connections that request a token for the app itself."""
        fields = {"grant_type": "client_credentials", "scope": SCOPE, "resource": RESOURCE}
        request = requests.form(self.host, "/token", fields, self.service)
        return [requests.always(request) for _ in range(connections)]

    def _asking(self, rng: Random) -> Flow:
        while True:
            token = self.world.token(draw(rng, self.grants, READ_SHARE))
            answer = yield requests.form(self.host, "/introspect", {"token": token}, self.web)
            if b'"active":true' not in answer.replace(b" ", b""):
                raise ValueError(f"the token does not hold: {answer[:200].decode(errors='replace')}")

    def _exchanging(self, rng: Random, number: int, connections: int) -> Flow:
        head = requests.form(self.host, "/token", {}, self.web).rpartition(b"Content-Length: ")[0]
        fixed = urlencode({"grant_type": "refresh_token"}) + "&refresh_token="
        mine = (self.grants // SHARES - number + connections - 1) // connections
        while True:
            grant = (rng.randrange(mine) * connections + number) * SHARES + HTTP_SHARE
            token = self.held.get(grant) or self.world.token(grant)
            body = (fixed + quote(token, safe="-._~")).encode()
            answer = yield head + b"Content-Length: %d\r\n\r\n" % len(body) + body
            successor = _REFRESH_TOKEN.search(answer)
            if successor is None:
                raise ValueError("the answer brought no refresh token")
            self.held[grant] = successor[1].decode()


@contextmanager
def served(
    ground: Ground,
    state: State,
    grants: int,
    folder: Path,
    *,
    cores: Collection[int],
    workers: int = 1,
) -> Generator[Served]:
    """Start a server on the database of that size, on `cores`. Raises RuntimeError when it does not start."""
    name = label(grants)
    port = free_port()
    path = config(folder, ground, name, port)
    command = [sys.executable, "-m", "doorward", "serve", "--config", str(path)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    log = BUILD / "bench" / f"scale-{ground.name}-{name}.log"
    with _ears() as (heard, env), running(command, core=cores, log=log, env=env) as process:
        _wait_until_ready(process, heard, log)
        yield Served(
            port=port,
            pid=process.pid,
            grants=grants,
            world=state.world,
            service=state.service,
            web=state.web,
            held=state.held.setdefault(name, {}),
        )


def drive(
    server: Served,
    name: str,
    flows: Sequence[Flow],
    *,
    warm_up: float,
    seconds: float,
    rate: float | None = None,
) -> Result:
    """Run one round of load. Raises Invalid when an answer was not the expected one."""
    group = Group(name, flows, rate)
    return valid(run("127.0.0.1", server.port, [group], warm_up=warm_up, seconds=seconds)[0])


@contextmanager
def _ears() -> Generator[tuple[socket.socket, dict[str, str]]]:
    """The socket of a service manager, and the variable that names it to the server (sd_notify(3))."""
    with (
        tempfile.TemporaryDirectory(prefix="doorward-bench-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard,
    ):
        path = Path(folder) / "notify"
        heard.bind(str(path))
        heard.settimeout(0.5)
        yield heard, {"NOTIFY_SOCKET": str(path)}


def _wait_until_ready(process: subprocess.Popen[str], heard: socket.socket, log: Path) -> None:
    """Wait until every worker answers: connections that a load opens earlier would all reach the first one."""
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(TimeoutError):
            if b"READY=1" in heard.recv(4096).splitlines():
                return
    raise RuntimeError(f"the server does not become ready: {log.read_text()[-600:]}")
