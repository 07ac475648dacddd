"""One node: `doorward serve` on its machine with its own settings, as a service manager would start it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trials.cluster.addresses import Machine

ROOT = Path(__file__).resolve().parents[2]
_SOURCES = {"server": ROOT / "packages/doorward/src", "verifier": ROOT / "packages/doorward-verify/src"}
START_SECONDS = 40


def settings(
    machine: Machine, *, issuer: str, database: str, network: str, folder: Path, **sections: dict[str, Any]
) -> Path:
    """Write `doorward.toml` of one node and return its path. All nodes share issuer, database and secret key."""
    wanted: dict[str, dict[str, Any]] = {
        "server": {"host": machine.host, "port": machine.port, "trusted_proxies": [network]},
        "keys": {"secret_key_file": str(folder / "doorward.key")},
        "passwords": {"threads": 1},
        # all clients of the trial have one address
        "throttle": {"per_address": 1_000_000},
        "log": {"level": "info", "format": "json"},
        **sections,
    }
    lines = [f'issuer = "{issuer}"', f'database = "{database}"']
    for name, values in wanted.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    path = folder / f"node-{machine.name}.toml"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def copy_sources(folder: Path) -> None:
    """Copy the present sources of the server into `folder`: a node that starts in two minutes must equal the
    first one, even if the sources are edited in the meantime."""
    for name, source in _SOURCES.items():
        shutil.copytree(source, folder / name)


def environment(folder: Path) -> dict[str, str]:
    """Variables for a node: the sources in `folder`, and no setting of the trial's caller."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(str(folder / name) for name in _SOURCES), "PYTHONUTF8": "1"}


@dataclass
class Node:
    """One node. `config` is its settings file, beside the sources; `log` is its standard error."""

    machine: Machine
    config: Path
    log: Path
    kills: int = 0
    ready_after: list[float] = field(default_factory=list[float])
    """Seconds from each start until it was ready."""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def running(self) -> bool:
        """Whether its process is running."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start, and wait until it reports ready. Raises RuntimeError with the end of its log."""
        began = time.monotonic()
        self.spawn()
        self.wait_ready(began)

    def spawn(self) -> None:
        """Start, without waiting."""
        command = [sys.executable, "-m", "doorward", "serve", "--config", str(self.config)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.machine.before, *command],
                stdout=log,
                stderr=log,
                cwd=self.config.parent,
                env=environment(self.config.parent),
                start_new_session=True,
            )

    def wait_ready(self, began: float) -> None:
        """Wait until /readyz answers 200, for at most START_SECONDS. Raises RuntimeError."""
        process = self._process
        assert process is not None
        while time.monotonic() < began + START_SECONDS and process.poll() is None:
            if self.ready():
                self.ready_after.append(time.monotonic() - began)
                return
            time.sleep(0.05)
        raise RuntimeError(f"node {self.machine.name} does not start: {self.log.read_text()[-2000:]}")

    def ready(self) -> bool:
        """Whether /readyz answers 200."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with suppress(OSError), opener.open(f"http://{self.machine.address}/readyz", timeout=2) as answer:
            return answer.status == 200
        return False

    def kill(self) -> None:
        """kill -9 of all its processes: nothing more is written or closed in order."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(20)
            self.kills += 1

    def stop(self) -> None:
        """SIGTERM, and kill -9 for processes that remain after 15 s."""
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run an operator's command on this machine with this node's settings. Raises RuntimeError when it fails."""
        command = [sys.executable, "-m", "doorward", *arguments, "--config", str(self.config)]
        out = subprocess.run(
            [*self.machine.before, *command],
            capture_output=True,
            text=True,
            env=environment(self.config.parent),
            cwd=self.config.parent,
            timeout=60,
            check=False,
        )
        if out.returncode:
            raise RuntimeError(f"doorward {' '.join(arguments)}: {(out.stderr or out.stdout).strip()[-600:]}")
        return out

    def troubles(self) -> list[str]:
        """Its logged errors: unexpected exceptions, and work that failed."""
        lines = self.log.read_text("utf-8", "replace").splitlines() if self.log.exists() else []
        return [
            line
            for line in lines
            if '"level": "error"' in line or '"level":"error"' in line or "Traceback" in line
        ]
