"""Start of the server from a command: the process is replaced, so that a worker never loads what only commands need."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import NoReturn

from doorward.core.errors import OperatorError
from doorward.server import worker_args
from doorward.server.sockets import UNIX, are_handed, bind_all


def become_server(
    config: Path | None, *, host: str | None, port: int | None, workers: int | None
) -> NoReturn:
    """Replace this process by `python -m doorward.server`; the options are passed as environment settings."""
    environment = dict(os.environ)
    environment.pop("DOORWARD_CONFIG", None)
    if config is not None:
        environment["DOORWARD_CONFIG"] = str(config.resolve())
    for name, value in (("HOST", host), ("PORT", port), ("WORKERS", workers)):
        if value is not None:
            environment[f"DOORWARD_SERVER__{name}"] = str(value)
    sys.stdout.flush()
    sys.stderr.flush()
    program = _interpreter()
    os.execve(program, [program, *worker_args.command(worker_args.WorkerArgs())[1:-1]], environment)  # noqa: S606 - no shell, our own interpreter


def _interpreter() -> str:
    """The Python of this installation, by the path that the operator used. A script names its Python by the folder it was
    installed into; behind a link (`current/bin/doorward`) a reload must follow the link to its target at that time."""
    beside = Path(sys.argv[0]).absolute().with_name(Path(sys.executable).name)
    try:
        return str(beside) if beside.samefile(sys.executable) else sys.executable
    except OSError:
        return sys.executable


def try_port(host: str, port: int, issuer: str) -> None:
    """Take the port for a moment, unless the service manager listens for us, to report a port in use. Raises `OperatorError`."""
    if are_handed(os.environ):
        return
    try:
        for listener in bind_all(host, port, issuer):
            listener.close()
        if host.startswith(UNIX):
            Path(host.removeprefix(UNIX)).unlink(missing_ok=True)
    except OSError as error:
        where = error.filename
        fix = "Stop it (doorward doctor says whether it is this server), or name another with --port or server.port."
        if error.errno == errno.EADDRINUSE:
            raise OperatorError(f"Something listens on {where} already.", fix) from None
        fix = "Name another address with --host and --port, or server.host and server.port."
        if error.errno == errno.EACCES:
            fix = (
                "Ports below 1024 need a right of their own; put a proxy there, and let this listen on 8000."
            )
        raise OperatorError(f"{where} cannot be listened on ({error.strerror}).", fix) from None
