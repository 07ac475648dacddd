"""PgBouncer in front of a PostgreSQL in tests, in transaction mode: each transaction may get another connection.

with pgbouncer(program, server) as bouncer:
    url = bouncer.through(server.create())
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.ports import free_port
from tests.postgres import USER, Databases, query, run_as, watchdog
from tests.waiting import PATIENCE

START_SECONDS = 20


@dataclass(frozen=True)
class Bouncer:
    """One PgBouncer."""

    bin: Path
    port: int
    log: Path

    def through(self, url: str) -> str:
        """The URL of the same database through PgBouncer."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}{urlsplit(url).path}"

    def show(self, what: str) -> list[str]:
        """The rows of `SHOW <what>` at its console, one line each."""
        return query(self.bin, f"postgresql://{USER}@127.0.0.1:{self.port}/pgbouncer", f"SHOW {what}")


@contextmanager
def pgbouncer(program: Path, server: Databases, *, connections: int = 4) -> Generator[Bouncer]:
    """PgBouncer in front of `server` for the duration of the block; it holds `connections` of each database."""
    parts = urlsplit(server.base)
    room = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    room.chmod(0o755)
    watch = watchdog(room, pid="pid")
    port = free_port()
    bouncer = Bouncer(server.bin, port, room / "log")
    (room / "users").write_text(f'"{USER}" ""\n')
    password = f" password={parts.password}" if parts.password else ""
    (room / "ini").write_text(
        "\n".join(
            (
                "[databases]",
                f"* = host={parts.hostname} port={parts.port} user={parts.username}{password}",
                "[pgbouncer]",
                "listen_addr = 127.0.0.1",
                f"listen_port = {port}",
                "unix_socket_dir =",
                "auth_type = trust",
                f"auth_file = {room / 'users'}",
                f"admin_users = {USER}",
                "pool_mode = transaction",
                f"default_pool_size = {connections}",
                "max_client_conn = 500",
                "",
            )
        )
    )
    with bouncer.log.open("wb") as log:
        process = subprocess.Popen(
            [str(program), str(room / "ini")], stdout=log, stderr=log, start_new_session=True, **run_as()
        )
    (room / "pid").write_text(f"{process.pid}\n")
    try:
        until = time.monotonic() + START_SECONDS
        while not _answers(bouncer):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PgBouncer does not start: {bouncer.log.read_text()[-2000:]}")
            time.sleep(0.02)
        yield bouncer
    finally:
        process.kill()
        process.wait(PATIENCE)
        shutil.rmtree(room, ignore_errors=True)
        assert watch.stdin is not None
        watch.stdin.close()
        watch.wait(PATIENCE)


def _answers(bouncer: Bouncer) -> bool:
    asked = [str(bouncer.bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(bouncer.port)]
    return subprocess.run(asked, check=False, env=dict(os.environ)).returncode == 0
