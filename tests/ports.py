"""Where does what a test starts listen? On ports of 127.0.0.1 that no other test is given and no outgoing connection takes.

    port = free_port()
    first = free_ports(2)                       # `first` and the one after it

A port from the kernel's own range may be gone again between asking and listening: each connection that anybody opens takes one
there. These lie below that range, and each worker of pytest begins at another place.
"""

from __future__ import annotations

import itertools
import os
import re
import socket

_LOWEST, _HIGHEST = 10_240, 32_700
# a worker's share: so many more than a run needs that what one server left is not asked for again soon
_SHARE = 1_000


def _begin() -> int:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    number = int(re.sub(r"\D", "", worker or "") or 0)
    # two runs on one machine begin elsewhere too: a worker's parent is its run, without workers we are the run
    run = os.getppid() if worker else os.getpid()
    return (number * _SHARE + run * 37) % (_HIGHEST - _LOWEST)


_places = (_LOWEST + place % (_HIGHEST - _LOWEST) for place in itertools.count(_begin()))


def free_port() -> int:
    """A port that nobody listens on, for whoever asked alone."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """The first of so many ports in a row. Raises RuntimeError when there seem to be none."""
    row: list[int] = []
    for _ in range(_HIGHEST - _LOWEST):
        port = next(_places)
        row = [*row, port] if _free(port) and (not row or port == row[-1] + 1) else []
        if len(row) == count:
            return row[0]
    raise RuntimeError(f"no {count} free ports in a row")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # as servers bind: a port whose connections are only fading away is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
