"""How does a command become the server? By replacing its process, so that a worker never holds what only commands need."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import NoReturn

from doorward.cli.trouble import Trouble
from doorward.workshop.serving import listen


def become_server(config: Path | None, *, host: str | None, port: int | None, workers: int) -> NoReturn:
    """Replace this process by `python -m doorward.workshop.serving`; its options travel as the environment settings they are."""
    environment = dict(os.environ)
    environment.pop("DOORWARD_CONFIG", None)
    if config is not None:
        environment["DOORWARD_CONFIG"] = str(config.resolve())
    if host is not None:
        environment["DOORWARD_SERVER__HOST"] = host
    if port is not None:
        environment["DOORWARD_SERVER__PORT"] = str(port)
    sys.stdout.flush()
    sys.stderr.flush()
    arguments = [sys.executable, "-m", "doorward.workshop.serving", str(workers)]
    os.execve(sys.executable, arguments, environment)  # noqa: S606 - no shell, our own interpreter


def try_port(host: str, port: int) -> None:
    """Listen for a moment. Raises `Trouble`."""
    try:
        listen(host, port).close()
    except OSError as error:
        fix = "Stop it (doorward doctor says whether it is this server), or name another with --port or server.port."
        if error.errno == errno.EADDRINUSE:
            raise Trouble(f"Something listens on {host}:{port} already.", fix) from None
        fix = "Name another address with --host and --port, or server.host and server.port."
        if error.errno == errno.EACCES:
            fix = (
                "Ports below 1024 need a right of their own; put a proxy there, and let this listen on 8000."
            )
        raise Trouble(f"{host}:{port} cannot be listened on ({error.strerror}).", fix) from None
