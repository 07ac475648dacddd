"""How does a command become the server? By replacing its process, so that a worker never holds what only commands need."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn


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
