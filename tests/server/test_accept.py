"""Tests that the workers share connections evenly, and that no client waits for a stopped worker."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections import Counter
from contextlib import suppress

import psutil

from doorward.server.accept import PLACES, ConnectionCounts
from tests.server.conftest import Serve
from tests.server.test_reload import children, told, wait_for
from tests.waiting import until

REQUEST = b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n"


def connected(port: int) -> socket.socket:
    """A client that was answered once and stays connected."""
    connection = socket.create_connection(("127.0.0.1", port), 20)
    connection.sendall(REQUEST)
    assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    return connection


def shares(workers: set[int], port: int) -> list[int]:
    """How many connections each worker holds."""
    held: Counter[int] = Counter()
    for pid in workers:
        for one in psutil.Process(pid).net_connections("tcp"):
            if one.status == psutil.CONN_ESTABLISHED and one.laddr and one.laddr.port == port:
                held[pid] += 1
    return sorted(held[pid] for pid in workers)


def test_simultaneous_and_successive_connections_are_shared_among_all_workers(
    serve: Serve, free_port: int
) -> None:
    served = serve("--workers", "3").ready()
    wait_for(served, "server.ready")  # all of them
    workers = children(served)
    connections = [connected(free_port) for _ in range(15)]
    assert max(shares(workers, free_port)) - min(shares(workers, free_port)) <= 3

    def come() -> None:
        connections.append(connected(free_port))

    crowd = [threading.Thread(target=come) for _ in range(30)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert len(connections) == 45
    least, _, most = shares(workers, free_port)
    assert most - least <= 6, (least, most)
    for one in connections:
        one.close()
    assert served.stop() == 0


def test_after_a_reload_and_a_death_the_new_workers_share(serve: Serve, free_port: int) -> None:
    served = serve("--workers", "2").ready()
    before = children(served)
    served.process.send_signal(signal.SIGHUP)
    wait_for(served, "server.reloaded")
    until(lambda: not before & children(served))
    os.kill(min(children(served)), signal.SIGKILL)
    # no client waits for the dead worker
    connected(free_port).close()
    until(lambda: told(served, "server.worker_died") >= 1 and len(children(served)) == 2)
    connections: list[socket.socket] = []

    def shared() -> bool:
        for one in connections:
            one.close()
        # repeated until the new worker answers too
        connections[:] = [connected(free_port) for _ in range(12)]
        return min(shares(children(served), free_port)) >= len(connections) // 3

    until(shared, lambda: shares(children(served), free_port), look=0.1)
    for one in connections:
        one.close()


def test_the_counts_are_seen_through_the_descriptor() -> None:
    mine = ConnectionCounts.new()
    try:
        theirs = ConnectionCounts(os.dup(mine.descriptor))
        assert mine.fewest(0) > 10**6
        theirs.write(PLACES - 1, 7)
        theirs.write(0, 3)
        assert (mine.fewest(0), mine.fewest(PLACES - 1)) == (7, 3)
        mine.away(PLACES - 1)
        assert theirs.fewest(0) > 10**6
    finally:
        with suppress(OSError):
            os.close(mine.descriptor)
