"""Primary and standby: two real PostgreSQL servers. A commit is answered when both have it on disk.

The standby itself has no standby: after its promotion it runs alone, as after a real failover until a new
standby exists.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypedDict

import psutil

from tools import system
from trials.cluster.addresses import Addresses, Machine

USER = "doorward"
DATABASE = "doorward"
_START_SECONDS = 30


class _As(TypedDict, total=False):
    user: str
    group: str
    extra_groups: list[str]


def _run_as() -> _As:
    """PostgreSQL refuses to run as root."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


@cache
def programs() -> Path:
    """The folder of PostgreSQL's programs. Raises RuntimeError when there is none."""
    found = system.postgres()
    if isinstance(found, system.Missing):
        raise RuntimeError(str(found))
    return found


@dataclass
class Instance:
    """One PostgreSQL on one machine."""

    bin: Path
    machine: Machine
    data: Path
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start, and wait until it accepts connections. Raises RuntimeError."""
        command = [*self.machine.before, str(self.bin / "postgres"), "-D", str(self.data)]
        with self.log.open("ab") as log:
            self._process = self._spawn(command, log.fileno())
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            if self._ready():
                return
            time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL ({self.machine.name}) does not start: {self.log.read_text()[-1500:]}")

    def _spawn(self, command: Sequence[str], log: int) -> subprocess.Popen[bytes]:
        if self.machine.cable is None:
            return subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.data, start_new_session=True, **_run_as()
            )
        # only root can enter a namespace: the user changes after that
        change = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--"]
        inside = [*self.machine.before, *change, *command[len(self.machine.before) :]]
        return subprocess.Popen(inside, stdout=log, stderr=log, cwd=self.data, start_new_session=True)

    def _ready(self) -> bool:
        where = ["-h", self.machine.host, "-p", str(self.machine.port)]
        return subprocess.run([str(self.bin / "pg_isready"), "-q", *where], check=False).returncode == 0

    def query(self, text: str, database: str = "postgres") -> str:
        """The result of `text` in psql. Raises RuntimeError with PostgreSQL's message."""
        url = f"postgresql://{USER}@{self.machine.address}/{database}"
        out = subprocess.run(
            [str(self.bin / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", text],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if out.returncode:
            raise RuntimeError(out.stderr.strip())
        return out.stdout.strip()

    def processes(self) -> list[psutil.Process]:
        """Its processes, the parent first, so that it cannot start others; none when it is down."""
        process = self._process
        if process is None or process.poll() is not None:
            return []
        with suppress(psutil.NoSuchProcess):
            master = psutil.Process(process.pid)
            return [master, *master.children(recursive=True)]
        return []

    def kill(self) -> None:
        """kill -9 of every process at once, as when the machine fails."""
        for one in self.processes():
            with suppress(psutil.NoSuchProcess):
                one.kill()
        if self._process is not None:
            self._process.wait(20)


@dataclass(frozen=True, slots=True)
class Pair:
    """Primary and standby. `url` names both, and clients connect to the writable one."""

    primary: Instance
    standby: Instance
    url: str
    synchronous: bool

    def fall_behind(self) -> None:
        """Stop replication without blocking commits: only when the standby is not synchronous."""
        self.standby.query("ALTER SYSTEM SET primary_conninfo = ''")
        self.standby.query("SELECT pg_reload_conf()")

    def promote(self) -> None:
        """Promote the standby to primary."""
        self.standby.query("SELECT pg_promote(true, 30)")


def initialise(data: Path, folder: Path) -> None:
    """Create an empty data directory. Raises RuntimeError."""
    data.mkdir(mode=0o700)
    _give(data)
    out = subprocess.run(
        [str(programs() / "initdb"), "-D", str(data), "-U", USER, "--auth=trust", "--encoding=UTF8", "--no-locale"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **_run_as(),
    )  # fmt: skip
    if out.returncode:
        raise RuntimeError(f"initdb failed: {out.stderr.strip()}")


def configure(data: Path, machine: Machine, network: str, **more: str) -> None:
    """Append this server's settings to its postgresql.conf."""
    settings = {
        "listen_addresses": machine.host,
        "port": str(machine.port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "track_commit_timestamp": "on",
        # a failed standby is detected after this time
        "wal_sender_timeout": "5s",
        **more,
    }
    with (data / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    with (data / "pg_hba.conf").open("a") as hba:
        hba.write(f"host all all {network} trust\nhost replication all {network} trust\n")


@contextmanager
def pair(folder: Path, places: Addresses, *, synchronous: bool = True) -> Generator[Pair]:
    """Run both servers, with the standby in step, for the duration of the block. All users must be able to
    enter `folder`.

    `synchronous`: a commit is answered when the standby has it too.
    """
    here = programs()
    primary = Instance(here, places.primary, folder / "primary", folder / "primary.log")
    standby = Instance(here, places.standby, folder / "standby", folder / "standby.log")
    try:
        initialise(primary.data, folder)
        configure(primary.data, places.primary, places.network)
        primary.start()
        primary.query(f"CREATE DATABASE {DATABASE}")
        _copy(primary, standby, folder)
        configure(standby.data, places.standby, places.network)
        standby.start()
        if synchronous:
            # set after the copy was taken, so that the standby does not have it
            primary.query("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
            primary.query("SELECT pg_reload_conf()")
        _follows(primary, "sync" if synchronous else "async")
        hosts = f"{places.primary.address},{places.standby.address}"
        url = f"postgresql://{USER}@{hosts}/{DATABASE}?target_session_attrs=read-write"
        yield Pair(primary, standby, url, synchronous)
    finally:
        primary.kill()
        standby.kill()


def _copy(primary: Instance, standby: Instance, folder: Path) -> None:
    standby.data.mkdir(mode=0o700)
    _give(standby.data)
    source = f"host={primary.machine.host} port={primary.machine.port} user={USER} application_name=standby"
    command = [str(primary.bin / "pg_basebackup"), "-D", str(standby.data), "-d", source]
    out = subprocess.run(
        [*command, "--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **_run_as(),
    )
    if out.returncode:
        raise RuntimeError(f"pg_basebackup failed: {out.stderr.strip()}")


def _follows(primary: Instance, state: str) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if primary.query("SELECT sync_state FROM pg_stat_replication") == state:
            return
        time.sleep(0.1)
    raise RuntimeError("the standby does not follow the primary")


def _give(folder: Path) -> None:
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "nobody:nogroup", str(folder)], check=True)
