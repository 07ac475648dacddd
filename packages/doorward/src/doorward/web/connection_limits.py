"""Connection limits: bytes, time, queued requests and number of connections, around uvicorn's HTTP protocol class.

uvicorn and its parser bound none of these (docs/incidents/0013-a-request-without-end.md). What is overridden are methods of
`asyncio.Protocol` and callbacks of httptools. Beyond these the class uses `parser`, `url`, `headers`, `connections`,
`flow`, `limit_concurrency`, `pipeline`, `server_state` and `_start_asgi_task` of uvicorn, and ten names of its `RequestResponseCycle`;
`tests/web/test_connection_limits.py` fails when they change.
"""

from __future__ import annotations

import asyncio
import socket
from http import HTTPStatus
from typing import Any, ClassVar, Final, cast, final

import httptools

from doorward.web.http import MAX_BODY, TAKE, WHOLE, Receive, Send
from doorward.web.router import NO_ROOM
from doorward.web.uvicorn_parts import (
    STATUS_LINE,
    Config,
    FlowControl,
    HttpToolsProtocol,
    RequestResponseCycle,
    ServerState,
)

MAX_HEAD: Final = 32 * 1024
"""Bytes of request line and fields."""
MAX_FIELDS: Final = 100
MAX_MESSAGE: Final = 1024 * 1024
"""Bytes of a whole request, the fields after its body included."""
MAX_QUEUED: Final = 8
"""Requests that may wait on one connection behind the one under way: a few bytes ask for each, and each costs some kilobytes."""
_MOST_OPEN: Final = 1 + MAX_QUEUED
_SLICE: Final = 1024
"""Bytes that are parsed at once, and so how far a limit may be exceeded before it is noticed."""
# What belongs to an offer of another protocol (RFC 9110 §7.8, RFC 7540 §3.2).
_OFFERS: Final = (b"upgrade", b"http2-settings")
# What no head contains (RFC 9110 §5.5), besides the ends of its lines.
_CONTROL: Final = bytes(byte for byte in (*range(32), 127) if byte not in b"\t\n\r")


class LimitedProtocol(HttpToolsProtocol):
    """The `http` protocol class of `doorward serve`.

    A client has `patience` seconds to send a whole request, and as many to take its answer; uvicorn limits only the pause between
    two requests. This is checked every `look_every` seconds, so that no request pays for a timer of its own.

    Of more than uvicorn's `limit_concurrency` connections, the last ones get 503 from the application (`NO_ROOM`) and are closed
    after `patience_when_full` seconds. So is a connection on which more than `MAX_QUEUED` requests have waited for so long.
    """

    patience: ClassVar[float] = 30.0
    patience_when_full: ClassVar[float] = 2.0
    look_every: ClassVar[float] = 10.0

    def __init__(
        self,
        *,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._state = dict(app_state)
        super().__init__(config, server_state, self._state, _loop)
        # uvicorn itself would refuse health checks too
        self.limit_concurrency = None
        self.parser = _Parser(self)
        self._state[WHOLE] = self.answer
        self._state[TAKE] = self.take
        self._since = self.loop.time()
        self._open = 0
        """Requests whose head is complete and that are not answered."""
        self._size = 0
        self._answered = self._message_open = self._head_open = self._offered = False
        self.unread = b""
        """What has come and is not parsed yet, since too many requests wait."""
        self._look_timer: asyncio.TimerHandle | None = None
        self._queue_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(cast("asyncio.Transport", _JoinedWrites(transport, self.loop)))
        self.flow = _Flow(self)
        if self.client is None and not _is_unix(transport):
            # The client has reset the connection already: without its address no attempt could be counted for its network.
            transport.abort()
        limit, connections = self.config.limit_concurrency, self.connections
        if limit is not None and len(connections) > limit:
            self._state[NO_ROOM] = lambda: len(connections) > limit
            self._look_timer = self.loop.call_later(self.patience_when_full, transport.abort)
        else:
            self._look_timer = self.loop.call_later(self.look_every, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._look_timer, self._queue_timer):
            if timer is not None:
                timer.cancel()
        self._state.clear()
        super().connection_lost(exc)

    def _look(self) -> None:
        sends = self._message_open or not (self._open or self._answered)
        takes = self.transport.get_write_buffer_size() > 0
        # uvicorn's own timer of the pause between two requests is stopped by any byte, even if no request begins with it
        limit = self.patience if sends or takes else float(self.config.timeout_keep_alive)
        if (sends or takes or not self._open) and self.loop.time() - self._since > limit:
            self.transport.abort()
        else:
            self._look_timer = self.loop.call_later(self.look_every, self._look)

    def close_resting(self, seconds: float) -> None:
        """Close this connection if no request came for so many seconds after its last answer."""
        if not self._open and not self._message_open and self.loop.time() - self._since >= seconds:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self._read(self.unread + data)

    def _read(self, data: bytes) -> None:
        at = 0
        while at < len(data) and self._open <= _MOST_OPEN and not self.transport.is_closing():
            piece = data[at : at + _SLICE]
            at += _SLICE
            if self._message_open:
                self._size += len(piece)
                if self._size > (MAX_HEAD if self._head_open else MAX_MESSAGE):
                    self.refuse(431 if self._head_open else 413)
                    return
            super().data_received(piece)
        self.unread = data[at:]
        if self.unread:
            self.flow.pause_reading()
        if self._open > _MOST_OPEN and self._queue_timer is None:
            self._queue_timer = self.loop.call_later(self.patience_when_full, self.transport.close)

    def on_response_complete(self) -> None:
        # as uvicorn's, but without a timer of the pause for each answer: `_look` ends a pause that is too long
        self.server_state.total_requests += 1
        if not self.transport.is_closing():
            self.flow.resume_reading()
            if self.pipeline:
                self._start_asgi_task(*self.pipeline.pop())
        self._answered = True
        self._since = self.loop.time()
        self._open -= 1
        if self._queue_timer is not None and self._open <= _MOST_OPEN:
            self._queue_timer.cancel()
            self._queue_timer = None
        if self.unread:
            self._read(self.unread)
            if not self.unread:
                self.flow.resume_reading()

    def refuse(self, status: int) -> None:
        """Close the connection; with an answer only where it cannot be taken for the answer to a request before."""
        if not self.transport.is_closing() and self._open == (self._message_open and not self._head_open):
            head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: text/plain; charset=utf-8"
            self.transport.write(f"{head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        self.transport.close()

    def on_message_begin(self) -> None:
        self._size = 0
        self._message_open = self._head_open = True
        self._since = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        parser: Any = self.parser
        if len(self.headers) > MAX_FIELDS:
            self.refuse(431)
            raise _Refused
        self._offered = parser.should_upgrade()
        if not self._offered:
            # RFC 9112 §3.2: without a Host, or with two, a proxy and this server could each mean another one.
            hosts = [name for name, _ in self.headers].count(b"host")
            if hosts != 1 and (hosts or parser.get_http_version() != "1.0"):
                raise _Refused
            super().on_headers_complete()
            self._open += 1
            self._head_open = False
            # A field after a body in pieces is no header (RFC 9110 §6.5.1): a proxy that removes X-Forwarded-For or a cookie from
            # what its clients send may let it pass there. The request has the list; what follows goes into another one.
            self.headers = []

    def on_message_complete(self) -> None:
        if not self._offered:
            self._message_open = False
            super().on_message_complete()

    def answer(self, send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        """Send a whole answer by one write: what `send`, uvicorn's, does for the two messages of such an answer, which it checks and writes
        one by one. False, and nothing is sent, where more is to be done: the connection ends, or is slow, or a header is not allowed."""
        # an attribute of the request would be a cycle of references for each of them, which only the garbage collector ends
        cycle = getattr(send, "__self__", None)
        if not isinstance(cycle, RequestResponseCycle):
            return False
        fields = [b"%b: %b\r\n" % field for field in (*cycle.default_headers, *headers)]
        head = b"".join((STATUS_LINE[status], *fields, b"\r\n"))
        lines = len(fields) + 2
        if (
            not cycle.keep_alive
            or cycle.disconnected
            or cycle.response_started
            or self.flow.write_paused
            or b"\r\nconnection:" in head
            # a line break in a header would begin another one (response splitting)
            or head.count(b"\n") != lines
            or head.count(b"\r") != lines
            or len(head.translate(None, _CONTROL)) != len(head)
        ):
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        cast("_JoinedWrites", self.transport).write_now(head + body)
        cycle.on_response()
        return True

    def take(self, receive: Receive) -> bytes | None:
        """The body of a request, if all of it has come: what `receive`, uvicorn's, returns by a message, without three coroutines. As
        `read_body` does it cuts the body off."""
        cycle = getattr(receive, "__self__", None)
        if not isinstance(cycle, RequestResponseCycle):
            return None
        if cycle.more_body or cycle.disconnected or cycle.waiting_for_100_continue:
            return None
        self.flow.resume_reading()
        cycle.message_event.clear()
        body, cycle.body = bytes(cycle.body), bytearray()
        return body[: MAX_BODY + 1]

    def without_offer(self) -> bytes:
        """The head that the parser has just read, without the offer of another protocol in it."""
        parser: Any = self.parser
        version = parser.get_http_version().encode("ascii")
        head = [parser.get_method(), b" ", self.url, b" HTTP/", version, b"\r\n"]
        for name, value in self.headers:
            if name == b"connection":
                kept = b",".join(o for o in value.split(b",") if o.strip().lower() not in _OFFERS)
                head += (b"connection: ", kept, b"\r\n") if kept else ()
            elif name not in _OFFERS:
                head += (name, b": ", value, b"\r\n")
        return b"".join((*head, b"\r\n"))


@final
class _Flow(FlowControl):
    """uvicorn's flow control, which reads no more from a client while something of it is not parsed: uvicorn resumes reading whenever
    a handler asks for its body, and a client with many requests behind a slow one would fill the memory."""

    def __init__(self, protocol: LimitedProtocol) -> None:
        super().__init__(protocol.transport)
        self._protocol = protocol

    def resume_reading(self) -> None:
        if not self._protocol.unread:
            super().resume_reading()


def _is_unix(transport: asyncio.Transport) -> bool:
    opened: socket.socket | None = transport.get_extra_info("socket")
    return opened is not None and opened.family == socket.AF_UNIX


@final
class _JoinedWrites:
    """A transport that sends head and body of an answer, which uvicorn writes one after the other, by one system call."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def write(self, data: bytes) -> None:
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)

    def write_now(self, data: bytes) -> None:
        """Write what will not be followed by more."""
        self._flush()
        self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size() + sum(map(len, self._pieces))

    def _flush(self) -> None:
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            self._transport.write(b"".join(pieces))


class _Refused(Exception):
    """Raised to the parser, which then stops."""


@final
class _Parser(httptools.HttpRequestParser):
    """httptools' parser, which ignores the offer of another protocol (RFC 9110 §7.8), and ends the connection where it cannot read.

    After such an offer httptools takes what follows for that protocol. So a new parser gets the same head without the offer, and
    then what follows. Java's HttpClient offers h2c with every request.
    """

    def __init__(self, protocol: LimitedProtocol) -> None:
        super().__init__(protocol)
        self.set_dangerous_leniencies(lenient_data_after_close=True)
        self._protocol = protocol

    def feed_data(self, data: Any) -> None:
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as offered:
            self._go_on(data, offered)
        except httptools.HttpParserError:
            self._protocol.refuse(400)

    def _go_on(self, data: Any, offered: httptools.HttpParserUpgrade) -> None:
        parser = self
        # a loop: of many requests with an offer, each would else be read one call deeper than the one before
        while True:
            # CONNECT has no meaning but a tunnel
            if parser.get_method() == b"CONNECT":
                self._protocol.refuse(400)
                return
            data = self._protocol.without_offer() + bytes(memoryview(data)[offered.args[0] :])
            parser = self._protocol.parser = _Parser(self._protocol)
            try:
                httptools.HttpRequestParser.feed_data(parser, data)
            except httptools.HttpParserUpgrade as another:
                offered = another
            except httptools.HttpParserError:
                self._protocol.refuse(400)
                return
            else:
                return
