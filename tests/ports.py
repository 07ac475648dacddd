"""Ports for servers of tests, on 127.0.0.1: no other test gets them and no outgoing connection uses them.

    port = free_port()
    first = free_ports(2)                       # `first` and the one after it

A port from the kernel's ephemeral range may be taken between choosing it and listening: each outgoing connection uses one there.
These ports are below that range, and each pytest worker starts at a different one.
"""

from __future__ import annotations

import itertools
import os
import re
import socket

_LOWEST, _HIGHEST = 10_240, 32_700
# a worker's share is larger than a run needs, so that the port of a stopped server is not reused soon
_SHARE = 1_000


def _begin() -> int:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    number = int(re.sub(r"\D", "", worker or "") or 0)
    # two runs on one machine start at different ports too: a worker's parent is its run, without workers this process is the run
    run = os.getppid() if worker else os.getpid()
    return (number * _SHARE + run * 37) % (_HIGHEST - _LOWEST)


_places = (_LOWEST + place % (_HIGHEST - _LOWEST) for place in itertools.count(_begin()))


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


HAS_IPV6 = _has_ipv6()
"""Whether this machine has the address ::1."""


def free_port() -> int:
    """A free port for a single test."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """The first of this many consecutive free ports. Raises RuntimeError when there seem to be none."""
    row: list[int] = []
    for _ in range(_HIGHEST - _LOWEST):
        port = next(_places)
        row = [*row, port] if _free(port) and (not row or port == row[-1] + 1) else []
        if len(row) == count:
            return row[0]
    raise RuntimeError(f"no {count} free ports in a row")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # as servers bind: a port whose old connections are only in TIME_WAIT is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
