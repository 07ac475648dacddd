"""Memory of a serving process while many connections queue requests behind one that is held."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.server.conftest import Serve
from tests.waiting import PATIENCE, until

CONNECTIONS = 150
GROWTH_MIB = 64


def resident_mib(pid: int, name: str = "VmRSS") -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


@pytest.mark.requirement(93, 97)
def test_150_connections_that_queue_requests_cost_little_memory_and_end(serve: Serve) -> None:
    """One held long poll and 64 KiB of tiny requests on each (docs/incidents/0050-requests-queued-without-a-bound.md)."""
    served = serve().ready()
    cursor = served.get("/revocations")["cursor"]
    port = int(served.url.rpartition(":")[2])
    host = b"host: 127.0.0.1:%d\r\n" % port
    poll = b"GET /revocations?after=%s&wait=20 HTTP/1.1\r\n%s\r\n" % (str(cursor).encode(), host)
    tiny = b"GET /revocations?wait=20 HTTP/1.1\r\n" + host + b"\r\n"
    flood = poll + tiny * (65_536 // len(tiny))
    before = resident_mib(served.process.pid)
    with ExitStack() as stack:
        ended = 0
        connections = []
        for _ in range(CONNECTIONS):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
            with suppress(ConnectionError):
                connection.sendall(flood)
            connections.append(connection)
        for connection in connections:
            try:
                ended += connection.recv(1) == b""
            except ConnectionError:
                ended += 1
        highest = resident_mib(served.process.pid, "VmHWM")
    assert ended == CONNECTIONS
    assert highest - before < GROWTH_MIB
    until(lambda: served.get("/healthz"))
