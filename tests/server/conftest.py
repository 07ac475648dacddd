"""Fixtures that start the server as an operator does: in its own folder, on its own port, stopped after the test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.storage.conftest import years
from tests.waiting import PATIENCE, until

__all__ = ["Serve", "Served", "serve", "years"]


class Served:
    """One `doorward serve` and its log."""

    def __init__(self, folder: Path, port: int, *arguments: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                # as the script of that name starts it: its folder is not searched for modules
                [sys.executable, "-P", "-m", "doorward", "serve", *arguments],
                cwd=folder,
                env=environment,
                stderr=out,
            )

    def get(self, path: str) -> Any:
        """The JSON at a path."""
        with urlopen(self.url + path, timeout=PATIENCE) as answer:
            return json.load(answer)

    def lines(self) -> list[dict[str, Any]]:
        """The log lines."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def ready(self) -> Served:
        """Wait until the server answers."""
        until(
            lambda: self.process.poll() is not None or self.answers("/readyz"), self.log.read_text, look=0.05
        )
        assert self.process.poll() is None, self.log.read_text()
        assert self.get("/readyz")["status"] == "ok"
        return self

    def answers(self, path: str) -> bool:
        """Whether a server answers and is healthy."""
        try:
            self.get(path)
        except OSError:
            return False
        return True

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it gracefully; returns its exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path, free_port: int) -> Iterator[Serve]:
    """`serve("--workers", "2")`."""
    (tmp_path / "doorward.toml").write_text(
        f'issuer = "http://127.0.0.1:{free_port}"\ndevelopment = true\n[passwords]\nthreads = 1\n'
    )
    started: list[Served] = []

    def start(*arguments: str) -> Served:
        started.append(Served(tmp_path, free_port, *arguments))
        return started[-1]

    yield start
    for served in started:
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait()
