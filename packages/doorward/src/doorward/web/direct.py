"""From socket to handler without the ASGI detour: uvicorn's connection handling, our request and response objects.

ASGI gives every request a scope, an event, two channel functions and three messages; none of our handlers streams, so all of
that is overhead, and at the token endpoint it is as much as the signature. uvicorn keeps what is hard to get right: parsing
(httptools), keep-alive and its time-out, flow control, pipelining, graceful shutdown. Any other ASGI server still works; it
only is slower (docs/decisions). Written against the uvicorn that requirements/runtime.txt pins; tests/web/test_direct.py
holds the two ways against each other.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, ClassVar, Final
from urllib.parse import unquote

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from doorward.web.direct_cycle import Cycle, nothing_more, resume
from doorward.web.http import MAX_BODY, Response, json_response
from doorward.web.router import READY_PATH, UNIX_PEER, App, Server

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# Routes read at most MAX_BODY; a byte more is kept, so that they see that it was too much, and the rest is dropped.
_KEPT = MAX_BODY + 1
MAX_HEAD: Final = 32 * 1024
"""Bytes of request line and fields: uvicorn and its parser gather them without an end."""
MAX_FIELDS: Final = 100
MAX_MESSAGE: Final = 1024 * 1024
"""Bytes of a whole request, what is dropped of its body and fields after it included."""
MAX_QUEUED: Final = 8
"""Requests that may wait on one connection behind the one under way; a few bytes ask for each, and each costs some kilobytes."""
_LAST_WORDS: Final = (
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)
# What belongs to an offer of another protocol (RFC 9110 §7.8, RFC 7540 §3.2).
_OFFERS: Final = (b"upgrade", b"http2-settings")
# Whoever looks whether we live or are ready hears the truth, however many others are here.
_ALWAYS: Final = ("/healthz", READY_PATH)
log = structlog.get_logger("doorward.direct")


class _Refused(Exception):
    """Raised to the parser, which gives up: the connection ends, with 400 where an answer is due."""


class DirectProtocol(HttpToolsProtocol):
    """uvicorn's `http` protocol class for `doorward serve`.

    Whoever connects has `patience` seconds to send a whole request, and to take its answer: what uvicorn times is only the
    pause between two requests. Looked at every `look_every` seconds, so that no request pays for a timer of its own.

    Of more than uvicorn's `limit_concurrency` connections those that came last hear 503 and are closed; who asks nothing within
    `patience_when_full` is closed without a word, so that nobody can keep the places that there are not.
    """

    patience: ClassVar[float] = 30.0
    patience_when_full: ClassVar[float] = 2.0
    look_every: ClassVar[float] = 10.0
    _since: float = 0.0
    _size: int = 0
    _message_open: bool = False
    _head_open: bool = False
    _looking: asyncio.TimerHandle | None = None
    _no_room: bool = False
    _hosts: int = 0
    _upgrade: bool = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._since = self.loop.time()
        if self.client is None and _is_unix(transport):
            self.client = UNIX_PEER
        self._no_room = self._full()
        if self._no_room:
            self._looking = self.loop.call_later(self.patience_when_full, self.transport.abort)
        else:
            self._looking = self.loop.call_later(self.look_every, self._look)

    def _full(self) -> bool:
        return self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency

    def connection_lost(self, exc: Exception | None) -> None:
        if self._looking is not None:
            self._looking.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        cycle: Any = self.cycle
        if cycle is None or cycle.more_body or self._message_open:
            theirs = True
        elif cycle.response_complete:
            # Between two requests uvicorn's own clock runs, unless some byte stopped it without beginning a request.
            theirs = self.timeout_keep_alive_task is None or self.transport.get_write_buffer_size() > 0
        else:
            theirs = self.transport.get_write_buffer_size() > 0
        if theirs and self.loop.time() - self._since > self.patience:
            self.transport.abort()
            return
        self._looking = self.loop.call_later(self.look_every, self._look)

    def data_received(self, data: bytes) -> None:
        if self._message_open:
            # Counted from the second piece on: nearly every request comes in one, and a piece is bounded itself.
            self._size += len(data)
            if self._size > (MAX_HEAD if self._head_open else MAX_MESSAGE):
                self._too_large()
                return
        self._unset_keepalive_if_required()
        pieces: list[bytes | memoryview] = [data]
        while pieces:
            piece = pieces.pop()
            parser: Any = self.parser
            try:
                parser.feed_data(piece)
            except httptools.HttpParserUpgrade as offered:
                # a loop: of requests that all offer it, each would else be answered one call deeper than the one before
                if (head := self._without_offer()) is not None:
                    pieces = [memoryview(piece)[offered.args[0] :], head]
            except httptools.HttpParserError:
                self._end(400)
                break
        if self._head_open and len(self.headers) > MAX_FIELDS:
            self._too_large()

    def _without_offer(self) -> bytes | None:
        """An offer of another protocol is ignored (RFC 9110 §7.8): the parser, which stops at the end of such a head and takes its
        body for that protocol, is replaced, and gets the same head without the offer before what came after it. Java's
        HttpClient offers h2c with every request. CONNECT is refused: it has no meaning but a tunnel."""
        if not self._upgrade or self.transport.is_closing():
            return None
        self._upgrade = False
        parser: Any = self.parser
        method: bytes = parser.get_method()
        if method == b"CONNECT":
            self._end(400)
            return None
        version = parser.get_http_version().encode("ascii")
        head = [method, b" ", self.url, b" HTTP/", version, b"\r\n"]
        for name, value in self.headers:
            if name == b"connection":
                kept = b",".join(o for o in value.split(b",") if o.strip().lower() not in _OFFERS)
                head += (b"connection: ", kept, b"\r\n") if kept else ()
            elif name not in _OFFERS:
                head += (name, b": ", value, b"\r\n")
        head.append(b"\r\n")
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return b"".join(head)

    def _too_large(self) -> None:
        self._end(431 if self._head_open else 413)

    def _end(self, status: int) -> None:
        """End the connection; with an answer only where it cannot be taken for the answer to a request before."""
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete or (cycle.turn and cycle.more_body):
            self.transport.write(STATUS_LINE[status] + _LAST_WORDS)
        self.transport.close()

    def on_message_begin(self) -> None:
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self._size = self._hosts = 0
        self._message_open = self._head_open = True
        self._since = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        # What follows a body in pieces is no header (RFC 9110 §6.5.1): a proxy that takes X-Forwarded-For or a cookie away from
        # its clients may let it pass there.
        if not self._head_open:
            return
        name = name.lower()
        if name == b"host":
            self._hosts += 1
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._head_open = False
        if len(self.headers) > MAX_FIELDS or len(self.url) > MAX_HEAD:
            raise _Refused
        parser: Any = self.parser
        if parser.should_upgrade():
            self._upgrade = True
            return
        version = parser.get_http_version()
        # RFC 9112 §3.2: without a host, or with two, a proxy and we could each mean another one.
        if self._hosts != 1 and (self._hosts or version != "1.0"):
            raise _Refused
        method = parser.get_method().decode("ascii")
        url = httptools.parse_url(self.url)
        path = (url.path or b"/").decode("ascii", "replace")
        if "%" in path:
            path = unquote(path)
        scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": url.query or b"",
            "headers": self.headers,
            "client": self.client,
            "scheme": self.scheme,
        }
        before: Any = self.cycle
        turn = before is None or before.response_complete
        if not turn and len(self.pipeline) >= MAX_QUEUED:
            raise _Refused
        keep_alive = version != "1.0" and parser.should_keep_alive()
        cycle = Cycle(scope, head=method == "HEAD", keep_alive=keep_alive, turn=turn)
        self.cycle = cycle  # pyright: ignore[reportAttributeAccessIssue]
        if not turn:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))  # pyright: ignore[reportArgumentType, reportUnknownMemberType]
        elif self.expect_100_continue:
            self.transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        cycle = self.cycle
        if not cycle.response_complete and len(cycle.body) < _KEPT:
            cycle.body += body[: _KEPT - len(cycle.body)]

    def on_message_complete(self) -> None:
        if self._upgrade:
            return
        cycle: Any = self.cycle
        cycle.more_body = False
        self._message_open = False
        if cycle.turn:
            self._begin(cycle)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """A pipelined request whose turn has come; its body may still be on the way."""
        cycle.turn = True
        if not cycle.more_body:
            self._begin(cycle)

    def shutdown(self) -> None:
        """uvicorn is about to stop and waits for the requests under way: whoever only waits for news is let go."""
        server: object = self.app  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if isinstance(server, Server) and server.app is not None:
            server.app.closing()
        super().shutdown()

    def let_go(self, rested: float) -> None:
        """Close this connection if nothing came for so many seconds since its last answer. While the server leaves, each answer
        says that it is the last: only who asks nothing has to be closed unasked."""
        cycle: Any = self.cycle
        resting = (cycle is None or cycle.response_complete) and not self._message_open
        if resting and self.loop.time() - self._since >= rested:
            self.transport.close()

    def _begin(self, cycle: Cycle) -> None:
        """Run the handler until it has to wait for something; only then does it become a task.

        Most answers of the token endpoint never wait, and a task with its turn of the loop costs as much as parsing the
        request. What runs before the first wait must not ask for its task (`asyncio.timeout`), so that only `hot` routes,
        whose code is known to be so, are begun here; the others are tasks from the start.
        """
        run = self._run(cycle)
        server: object = self.app  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if isinstance(server, Server) and server.app is not None and server.app.hot(cycle.scope["path"]):
            try:
                waits_for = run.send(None)
            except StopIteration:
                return
            rest: Any = resume(run, waits_for)
            task: asyncio.Task[None] = self.loop.create_task(rest)
        else:
            task = self.loop.create_task(run)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _run(self, cycle: Cycle) -> None:
        server: object = self.app  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        app: App | None = server.app if isinstance(server, Server) else None
        refused = self._no_room and cycle.scope["path"] not in _ALWAYS and self._full()
        try:
            if app is None:
                response: Response | None = json_response({"error": "temporarily_unavailable"}, 503)
            elif refused:
                response = await app.refuse(cycle.scope)
                cycle.keep_alive = False
            else:
                response = await app.respond(cycle.scope, nothing_more, bytes(cycle.body))
                if app.leaving:
                    cycle.keep_alive = False
        except asyncio.CancelledError:
            self.transport.close()
            raise
        except (
            Exception
        ):  # the app's own boundary failed: nothing may leak, and the connection is not trusted further
            log.exception("the error boundary failed")
            response = json_response({"error": "server_error"}, 500)
            cycle.keep_alive = False
        if response is None:
            self.transport.close()
            return
        if self.flow.write_paused and not cycle.disconnected:
            await self.flow.drain()
        if cycle.disconnected or self.transport.is_closing():
            cycle.response_complete = True
            return
        self._write(cycle, response)

    def _write(self, cycle: Cycle, response: Response) -> None:
        lines = [STATUS_LINE[response.status]]
        for name, value in self.server_state.default_headers:
            lines += (name, b": ", value, b"\r\n")
        for name, value in response.headers:
            lines += (name, b": ", value, b"\r\n")
        if response.status not in {204, 304}:
            lines += (b"content-length: ", b"%d" % len(response.body), b"\r\n")
        if not cycle.keep_alive:
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        if not cycle.head:
            lines.append(response.body)
        self.transport.write(b"".join(lines))
        cycle.response_complete = True
        self._since = self.loop.time()
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()


def _is_unix(transport: asyncio.Transport) -> bool:
    opened: socket.socket | None = transport.get_extra_info("socket")
    return opened is not None and opened.family == socket.AF_UNIX
