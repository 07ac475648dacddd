"""One connection of the load: it sends a request, reads just enough to find the end of the answer, and repeats."""

import asyncio
import re
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import cast

Flow = Generator[bytes, bytes, None]
"""The requests of one connection: yields a request, receives the body of its answer, yields the next."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)")


@dataclass(slots=True)
class Group:
    """Connections that do the same thing.

    With `rate` (requests a second over the whole group) the group follows a schedule, and a request delayed by a late
    answer is timed from the moment when it was due. Without it each connection sends at once. `expect` is the one
    status that counts as success; any other stops its connection and invalidates the figure.
    """

    name: str
    flows: Sequence[Flow]
    rate: float | None = None
    expect: int = 200


@dataclass(slots=True)
class LoadCounts:
    measuring: bool = False
    latencies: list[int] = field(default_factory=list[int])
    failures: int = 0
    first_failure: str | None = None
    live: int = 0
    draining: bool = False

    def fail(self, why: str) -> None:
        self.failures += 1
        if self.first_failure is None:
            self.first_failure = why


class Connection(asyncio.Protocol):
    """One keep-alive connection that runs its flow."""

    __slots__ = (
        "_body",
        "_buffer",
        "_counts",
        "_due",
        "_expect",
        "_flow",
        "_interval",
        "_loop",
        "_need",
        "_sent_at",
        "_transport",
        "stopped",
        "waiting",
    )

    def __init__(self, group: Group, flow: Flow, counts: LoadCounts, offset: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._flow = flow
        self._counts = counts
        self._expect = str(group.expect).encode()
        self._interval = len(group.flows) / group.rate if group.rate else 0.0
        self._due = self._loop.time() + offset * self._interval
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._need = 0
        self._body = 0
        self._sent_at = 0
        self.waiting = False
        self.stopped = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio.Transport, though they provide its whole interface.
        self._transport = cast(asyncio.Transport, transport)
        self._schedule(next(self._flow))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.stopped:
            self._stop(f"the server closed the connection ({exc or 'no reason given'})")

    def stop(self) -> None:
        """Close without an error at the end of the run."""
        self.stopped = True
        if self._transport is not None:
            self._transport.close()

    def _stop(self, why: str) -> None:
        self._counts.fail(why)
        self._counts.live -= 1
        self.stop()

    def _schedule(self, request: bytes) -> None:
        if not self._interval:
            self._send(request, time.perf_counter_ns())
            return
        late = self._loop.time() - self._due
        if late >= 0:
            self._send(request, time.perf_counter_ns() - int(late * 1e9))
        else:
            # The loop's timers have a resolution of a millisecond; that is no delay of the server.
            self._loop.call_at(self._due, self._send_now, request)
        self._due += self._interval

    def _send_now(self, request: bytes) -> None:
        if not self.stopped and not self._counts.draining:
            self._send(request, time.perf_counter_ns())

    def _send(self, request: bytes, counted_from: int) -> None:
        assert self._transport is not None
        self._sent_at = counted_from
        self.waiting = True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        if not self._need:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._buffer = data
                return
            head = data[: end + 2].lower()
            length = _LENGTH.search(head)
            self._body = end + 4
            if length is not None:
                self._need = self._body + int(length[1])
            elif b"\r\ntransfer-encoding: chunked" in head:
                self._chunked(data)
                return
            else:
                self._stop("an answer without Content-Length or chunks")
                return
        if len(data) < self._need:
            self._buffer = data
            return
        self._answered(data, data[self._body : self._need])

    def _chunked(self, data: bytes) -> None:
        parts: list[bytes] = []
        at = self._body
        while True:
            line = data.find(b"\r\n", at)
            if line < 0:
                break
            size = int(data[at:line].split(b";")[0], 16)
            start = line + 2
            if len(data) < start + size + 2:
                break
            if size == 0:
                self._need = start + 2
                self._answered(data, b"".join(parts))
                return
            parts.append(data[start : start + size])
            at = start + size + 2
        self._buffer = data

    def _answered(self, data: bytes, body: bytes) -> None:
        counts = self._counts
        if counts.measuring:
            counts.latencies.append(time.perf_counter_ns() - self._sent_at)
        status = data[9:12]
        extra = len(data) - self._need
        self._buffer = b""
        self._need = 0
        if self.stopped:
            return
        if status != self._expect or extra or not self.waiting:
            shown = body[:200].decode(errors="replace")
            self._stop(f"status {status.decode(errors='replace')}: {shown}")
            return
        self.waiting = False
        try:
            request = self._flow.send(body)
        except StopIteration:
            self._stop("the flow ended before the time was over")
        except ValueError as error:
            self._stop(str(error))
        else:
            if not counts.draining:
                self._schedule(request)
