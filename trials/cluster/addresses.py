"""Addresses of the trial's machines: each in its own network namespace, or on a port of 127.0.0.1.

The whole trial runs in its own network and process namespace (`enclose`), with its machines on a bridge
inside. When its first process ends, for any reason, the kernel ends all others and removes the networks: no
clean-up is needed outside.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

NETWORK = "10.77.0.0/24"
_HERE = "10.77.0.1"
_ENCLOSED = "CLUSTER_TRIAL_ENCLOSED"
_UNSHARE = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: its address for others, and the prefix of a command that runs on it."""

    name: str
    host: str
    port: int
    before: tuple[str, ...] = ()
    cable: str | None = None
    """Its network interface, in a namespace."""

    def unplug(self) -> None:
        """Cut the machine off in both directions, without closing a connection. Raises RuntimeError without a cable."""
        if self.cable is None:
            raise RuntimeError("a machine on 127.0.0.1 cannot be unplugged")
        _ip("link", "set", self.cable, "down")

    @property
    def address(self) -> str:
        """host:port."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Addresses:
    """All machines. `network` is the source of the requests that the proxy forwards."""

    kind: Literal["namespaces", "ports"]
    network: str
    proxy: Machine
    nodes: tuple[Machine, ...]
    primary: Machine
    standby: Machine


def enclose(arguments: Sequence[str], *, ports: bool) -> None:
    """Replace this process by the same program inside its own namespaces, if the machine permits it. Returns
    when it does not, or when this is that program already; otherwise it does not return."""
    if ports or enclosed() or not _allowed():
        return
    command = [*_UNSHARE, sys.executable, "-m", "trials.cluster", *arguments]
    os.execvpe(command[0], command, {**os.environ, _ENCLOSED: "yes"})


def enclosed() -> bool:
    """Whether this process is inside the trial's own namespaces."""
    return os.environ.get(_ENCLOSED) == "yes"


def _allowed() -> bool:
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "nsenter", "setpriv", "ip"))):
        return False
    asked = [*_UNSHARE, "ip", "link", "add", "name", "sw0", "type", "bridge"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


@contextmanager
def addresses(nodes: int) -> Generator[Addresses]:
    """The machines, ready for commands, for the duration of the block."""
    if not enclosed():
        yield _ports(nodes)
        return
    holders: list[subprocess.Popen[bytes]] = []
    try:
        yield _namespaces(nodes, holders)
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()


def _ports(nodes: int) -> Addresses:
    taken: list[socket.socket] = []
    # without a namespace that ends the machines with this process, each one gets a signal when it ends
    before = ("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()

    def machine(name: str) -> Machine:
        # below the ports that the kernel gives to connections: a stopped machine keeps its port
        for _ in range(200):
            port = 15_000 + secrets.randbelow(17_000)
            probe = socket.socket()
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                probe.close()
                continue
            taken.append(probe)
            return Machine(name, "127.0.0.1", port, before)
        raise RuntimeError("no free port on 127.0.0.1")

    try:
        return Addresses(
            "ports",
            "127.0.0.1/32",
            machine("proxy"),
            tuple(machine(name) for name in _names(nodes)),
            machine("primary"),
            machine("standby"),
        )
    finally:
        for probe in taken:
            probe.close()


def _names(nodes: int) -> tuple[str, ...]:
    return tuple("ABCDEFGH"[:nodes])


def _namespaces(nodes: int, holders: list[subprocess.Popen[bytes]]) -> Addresses:
    _ip("link", "set", "lo", "up")
    _ip("link", "add", "name", "sw0", "type", "bridge")
    _ip("address", "add", f"{_HERE}/24", "dev", "sw0")
    _ip("link", "set", "sw0", "up")

    def machine(name: str, number: int, port: int) -> Machine:
        # the namespace exists as long as an idle process in it, which ends with this one
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"]
        holder = subprocess.Popen(command)
        holders.append(holder)
        _wait_for_namespace(holder.pid)
        cable = f"sw0-{number}"
        _ip("link", "add", "name", cable, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        _ip("link", "set", cable, "master", "sw0", "up")
        inside = ("nsenter", f"--net=/proc/{holder.pid}/ns/net", "--")
        host = f"10.77.0.{number}"
        _ip("link", "set", "lo", "up", before=inside)
        _ip("address", "add", f"{host}/24", "dev", "eth0", before=inside)
        _ip("link", "set", "eth0", "up", before=inside)
        return Machine(name, host, port, inside, cable)

    return Addresses(
        "namespaces",
        NETWORK,
        machine("proxy", 2, 8443),
        tuple(machine(name, 11 + number, 8000) for number, name in enumerate(_names(nodes))),
        machine("primary", 21, 5432),
        machine("standby", 22, 5432),
    )


def _wait_for_namespace(pid: int) -> None:
    ours = Path("/proc/self/ns/net").readlink()
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if Path(f"/proc/{pid}/ns/net").readlink() != ours:
            return
        time.sleep(0.005)
    raise RuntimeError("a network namespace did not come up")


def _ip(*arguments: str, before: tuple[str, ...] = ()) -> None:
    out = subprocess.run([*before, "ip", *arguments], capture_output=True, text=True, check=False)
    if out.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {out.stderr.strip()}")
