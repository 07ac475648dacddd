"""Proxy before the nodes: nginx where it is installed, as in the reference, otherwise the trial's own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from trials.cluster.addresses import Addresses
from trials.cluster.nginx import configuration
from trials.cluster.node import ROOT, environment

_START_SECONDS = 10


def program() -> str | None:
    """The path of nginx, if it is installed."""
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@contextmanager
def door(folder: Path, places: Addresses, *, own: bool = False) -> Generator[str]:
    """Run the proxy with the certificate in `folder` for the duration of the block. Yields its name. `own`: not nginx.

    Raises RuntimeError when it does not start.
    """
    found = None if own else program()
    if found is not None:
        config = folder / "nginx.conf"
        config.write_text(configuration(folder, places), "utf-8")
        command, name = [found, "-c", str(config)], "nginx"
    else:
        command = [sys.executable, "-m", "trials.cluster.forwarder", places.proxy.address]
        command += [str(folder / "proxy.pem"), str(folder / "proxy.key"), *(n.address for n in places.nodes)]
        name = "a proxy of the trial's own"
    said = folder / "proxy.log"
    with said.open("ab") as out:
        process = subprocess.Popen(
            [*places.proxy.before, *command],
            stdout=out,
            stderr=out,
            cwd=ROOT,
            env=environment(folder),
            start_new_session=True,
        )
    try:
        until = time.monotonic() + _START_SECONDS
        while not _listens(places.proxy.host, places.proxy.port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{name} does not start: {said.read_text()[-800:]}")
            time.sleep(0.02)
        yield name
    finally:
        process.terminate()
        process.wait(20)


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
