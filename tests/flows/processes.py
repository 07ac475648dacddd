"""Several server processes on one database: as `doorward serve` starts them, each on its own port, with one issuer.

    with processes(tmp_path, 2) as fleet:                   # seeded; fleet.house has the apps
        app = fleet.house.own
        app.base = fleet.servers[1].base                    # the same app, using the other process

`server.kill()` is kill -9; `server.start()` starts it again on the same port and waits until it is ready.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.containers import hashing
from tests.flows.apps import App
from tests.flows.forked import Forked
from tests.flows.seeds import House, seed_at
from tests.flows.settings import SOURCES, environment, write_settings
from tests.ports import free_port
from tests.waiting import PATIENCE, until


@dataclass
class Process:
    """One server process, forked with this tree's code (`forked`); if `sources` names another tree, `doorward serve` of that."""

    config: Path
    port: int
    log: Path
    sources: Sequence[Path] = SOURCES
    _process: subprocess.Popen[bytes] | Forked | None = field(default=None, repr=False)

    @property
    def base(self) -> str:
        """The address at which it answers; not the issuer, which all processes share."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, and wait until it is ready."""
        self.begin()
        self.wait()

    def begin(self) -> None:
        """Start without waiting."""
        if self.sources == SOURCES:
            # as the command passes its options on
            options = {"DOORWARD_CONFIG": str(self.config), "DOORWARD_SERVER__PORT": str(self.port)}
            self._process = Forked(self.config.parent, self.log, {**environment(), **options, **hashing()})
            return
        command = ["serve", "--config", str(self.config), "--port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "doorward", *command],
                stdout=log,
                stderr=log,
                cwd=self.config.parent,
                env=environment(self.sources),
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until it is ready."""
        until(lambda: self.ready or not self.running, self.log.read_text, look=0.03)
        if not self.running:
            raise RuntimeError(f"the server does not start: {self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """kill -9: nothing more is written, nothing is closed in order."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE)

    def stop(self) -> None:
        """SIGTERM, as a service manager stops it."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)
            raise

    @property
    def ready(self) -> bool:
        """Whether it reports that it is ready."""
        try:
            answer = httpx2.get(f"{self.base}/readyz", verify=False, trust_env=False, timeout=PATIENCE)
        except httpx2.HTTPError:
            return False
        return answer.status_code == 200

    @property
    def running(self) -> bool:
        """Whether the process exists."""
        return self._process is not None and self._process.poll() is None

    def unforeseen(self) -> list[str]:
        """The unexpected errors in its log."""
        return [
            line
            for line in self.log.read_text("utf-8", "replace").splitlines()
            if "Traceback" in line
            or "request.failed" in line
            or "unforeseen error" in line
            or "background.failed" in line
        ]

    def troubles(self) -> list[str]:
        """The errors in its log."""
        return [
            line
            for line in self.log.read_text("utf-8", "replace").splitlines()
            if '"error"' in line or "Traceback" in line
        ]


@dataclass
class Fleet:
    """The processes, their one issuer, and the seeded data."""

    issuer: str
    config: Path
    servers: list[Process]
    house: House

    def everywhere(self, app: App) -> list[App]:
        """The app at each of the processes, over open connections."""
        return [App(self.issuer, app.client_id, app.secret, base=server.base) for server in self.servers]


@contextmanager
def processes(
    folder: Path,
    count: int,
    *,
    sections: dict[str, dict[str, Any]] | None = None,
    database: str | None = None,
    cache: str | None = None,
    host: str = "127.0.0.1",
    issuer: str | None = None,
) -> Generator[Fleet]:
    """`count` processes on one database, seeded before they start, for the duration of the block. `database`: its URL, or a
    SQLite file in `folder` if omitted. `host` is that of the issuer: with "localhost" there are passkeys. `issuer`: another address than that of the first
    process, such as one of a balancer."""
    ports = [free_port() for _ in range(count)]
    issuer = issuer or f"http://{host}:{ports[0]}"
    config = write_settings(folder, issuer, sections, database=database, cache=cache)
    house = seed_at(config, issuer)
    servers = [Process(config, port, folder / f"server-{number}.log") for number, port in enumerate(ports)]
    try:
        for server in servers:
            server.begin()
        for server in servers:
            server.wait()
        yield Fleet(issuer, config, servers, house)
    finally:
        house.close()
        for server in servers:
            server.stop()
