"""How does one process serve, from its first request to its last? On uvloop where there is one, and leaving politely."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import Any, Final, cast, final

import uvicorn
from msgspec import Struct

from doorward import __version__
from doorward.adapters import logs
from doorward.app.process import create_app
from doorward.server import systemd as notify
from doorward.server import worker_args as orders
from doorward.server.accept import Board, Door, everybody_waiting
from doorward.server.sockets import BACKLOG, room_for, shown
from doorward.settings import Settings
from doorward.web.direct import DirectProtocol
from doorward.web.router import Server as Application

GRACE: Final = 10
"""Seconds that requests under way have to end when a process leaves."""
LINGER: Final = 1.0
"""A connection that rested for so long is closed; one that is used is told with its next answer that it was the last."""
START_SECONDS: Final = 60.0
"""A new worker that does not answer after so many seconds will not."""


class Ended(Struct, frozen=True):
    """How it ended: the exit status; after a reload, the worker that took over, and whether to reload once more."""

    status: int
    successor: int | None = None
    again: bool = False
    lifeline: tuple[int, ...] = ()
    board: int | None = None


@final
class Serving(uvicorn.Server):
    """uvicorn's server; what is ours is how it says that it has begun, and how it leaves."""

    def __init__(
        self,
        *,
        config: uvicorn.Config,
        application: Application,
        settings: Settings,
        told: orders.Orders,
        listeners: Sequence[socket.socket],
    ) -> None:
        super().__init__(config)
        self._listeners = listeners
        self._application = application
        self._settings = settings
        self._told = told
        self.alone = told.role == "first"
        self.at_once = False
        """Whether to leave without the wait of `server.drain`."""
        self.others_stay = told.handed
        """Whether somebody answers on this port when we have left, or will."""
        self.told_to_stop = False
        self.reload = False
        self._board: Board | None = None
        self._doors: list[Door] = []
        self._reloading: asyncio.Task[None] | None = None
        self.successor: int | None = None
        self.lifeline: tuple[int, ...] = ()
        self.board: int | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, and say so to whoever waits for it."""
        # under a head the workers share the guests; alone the loop takes them, which costs less
        await super().startup(sockets if self.alone else [])
        if not self.alone and not self.should_exit:
            self._open_doors(sockets or ())
        # What is there now stays: the collector need not look through it again, at every full round, for as long as we run.
        gc.collect()
        gc.freeze()
        if self.should_exit:
            return
        if self._told.lifeline:
            asyncio.get_running_loop().add_reader(self._told.lifeline[0], self._head_has_gone)
        if self._told.ready is not None:
            os.write(self._told.ready, b"%d\n" % os.getpid())
            os.close(self._told.ready)
        if self.alone:
            logs.logger("server").info(
                "server.ready",
                issuer=self._settings.issuer,
                address=shown(self._settings.server.host, self._settings.port),
                workers=1,
                version=__version__,
            )
            notify.notify(notify.READY)

    async def on_tick(self, counter: int) -> bool:
        """uvicorn asks ten times a second whether to go on."""
        if self.reload and (self._reloading is None or self._reloading.done()):
            self.reload = False
            self._reloading = asyncio.create_task(self._reload())
        if self._board is not None:
            self._board.write(self._told.place, self._guests())
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second SIGTERM ends the wait."""
        if self.told_to_stop:
            self.at_once = True
        self.told_to_stop = True
        super().handle_exit(sig, frame)

    def leave(self) -> None:
        """Others answer on this port: finish what is under way and go."""
        self.others_stay = self.at_once = self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """First nobody is sent here any more, then nobody is let in, then who is here finishes; only then uvicorn closes."""
        if self.alone and self.successor is None:
            notify.notify(notify.STOPPING)
        app = self._application.app
        if app is not None:
            app.closing()
        for _ in range(self._settings.server.drain * 10):
            if self.at_once:
                break
            await asyncio.sleep(0.1)
        if self.alone and self.successor is None:
            for listener in self._listeners:
                listener.close()
        await self._close_the_door(sockets or ())
        loop = asyncio.get_running_loop()
        until = loop.time() + GRACE
        while self.server_state.connections and loop.time() < until and not self.force_exit:
            # again and again: who asked for news in the meantime waits for it as well
            if app is not None:
                app.closing()
            # typed by what uvicorn can also serve, which is not installed everywhere
            for connection in cast("list[object]", list(self.server_state.connections)):
                if isinstance(connection, DirectProtocol):
                    connection.let_go(LINGER)
            await asyncio.sleep(0.05)
        await super().shutdown(sockets)

    async def _close_the_door(self, sockets: Sequence[socket.socket]) -> None:
        """Who comes from now on is refused, and asks another node. Who is connected, and waits to be let in, is let in: when the
        last copy of a listening socket is closed, the system breaks those connections off, with the requests that are in them."""
        for door in self._doors:
            door.close()
        last = not self.others_stay
        if self._board is not None:
            self._board.away(self._told.place)
            last = last and not self._board.others(self._told.place)
        spare = [listener.dup() for listener in sockets] if last else []
        for server in self.servers:
            server.close()
        for listener in sockets:
            listener.close()
        waiting = everybody_waiting(spare)
        for listener in spare:
            listener.close()
        for guest in waiting:
            await self._let_in(guest)

    def _open_doors(self, sockets: Sequence[socket.socket]) -> None:
        if self._told.board is None:
            raise ValueError("a worker is given a board by its head")
        self._board = Board(self._told.board)
        self._board.write(self._told.place, 0)
        self._doors = [
            Door(
                listener=listener,
                board=self._board,
                place=self._told.place,
                guests=self._guests,
                let_in=self._let_in,
            )
            for listener in sockets
        ]
        for door in self._doors:
            door.open()

    def _guests(self) -> int:
        return len(self.server_state.connections)

    async def _let_in(self, guest: socket.socket) -> None:
        guest.setblocking(False)
        with suppress(OSError):
            if guest.family != socket.AF_UNIX:
                guest.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(self._protocol, guest, ssl=self.config.ssl)
        if self._board is not None and not self.should_exit:
            self._board.write(self._told.place, self._guests())

    def _protocol(self) -> DirectProtocol:
        return DirectProtocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    def _head_has_gone(self) -> None:
        asyncio.get_running_loop().remove_reader(self._told.lifeline[0])
        self.leave()
        self.others_stay = self._told.handed

    async def _reload(self) -> None:
        """Without a head: start a worker on the same socket, and leave when it answers. `serving.py` makes a head of this
        process then, so that the service manager keeps the process that it knows."""
        log = logs.logger("server")
        notify.reloading()
        ready, says_ready = os.pipe()
        lifeline = os.pipe()
        for descriptor in (says_ready, lifeline[0]):
            os.set_inheritable(descriptor, True)
        board = Board.new()
        listeners = self._told.listeners
        try:
            successor = orders.spawn(
                orders.Orders(
                    role="worker",
                    listeners=listeners,
                    handed=self._told.handed,
                    ready=says_ready,
                    lifeline=(lifeline[0],),
                    board=board.descriptor,
                ),
                dict(os.environ),
            )
            os.close(says_ready)
            answered = await _hears(ready, START_SECONDS)
        except OSError as error:
            log.error("server.reload_failed", reason=error.strerror)
            answered, successor = False, None
        finally:
            os.close(ready)
        if answered:
            self.successor, self.lifeline, self.board = successor, lifeline, board.descriptor
            self.leave()
            return
        if successor is not None:
            log.error("server.reload_failed", reason="the new worker does not answer; this one goes on")
            with suppress(ProcessLookupError):
                os.kill(successor, signal.SIGKILL)
            await asyncio.to_thread(os.waitpid, successor, 0)
        for descriptor in (*lifeline, board.descriptor):
            os.close(descriptor)
        notify.notify(notify.READY)


def serve(settings: Settings, listeners: Sequence[socket.socket], told: orders.Orders) -> Ended:
    """Serve until told to stop. Without a head, what serves are copies of the listeners: a successor is given the listeners."""
    application = create_app()
    connections = room_for(settings.server.connections)
    if connections < settings.server.connections:
        logs.logger("server").warning(
            "server.few_files", connections=connections, wanted=settings.server.connections
        )
    server = Serving(
        config=uvicorn.Config(
            application,
            loop=_loop(),
            http=DirectProtocol,
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            limit_concurrency=connections,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
            ssl_certfile=settings.server.tls_cert,
            ssl_keyfile=settings.server.tls_key,
        ),
        application=application,
        settings=settings,
        told=told,
        listeners=listeners,
    )
    begun = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        # uvicorn stops politely and then raises the signal anew: by then all is done, and the status is that of an end as
        # planned. Before it has begun there is nothing to be polite about.
        if not begun:
            raise SystemExit(0)

    def leave(_number: int, _frame: FrameType | None) -> None:
        server.leave()

    def reload(_number: int, _frame: FrameType | None) -> None:
        server.reload = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGUSR1, leave)
    # to a worker its head says what to do
    signal.signal(signal.SIGHUP, reload if server.alone else signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    try:
        begun = True
        server.run(sockets=[listener.dup() if server.alone else listener for listener in listeners])
    except SystemExit:
        return Ended(1)  # it could not start, and has said why
    if server.told_to_stop or server.successor is None:
        # a successor goes too then, when this process has gone
        return Ended(0 if server.started else 1)
    return Ended(0, server.successor, server.reload, server.lifeline, server.board)


async def _hears(descriptor: int, seconds: float) -> bool:
    """Whether the other end says something within so many seconds. One that dies hangs up, and has said nothing."""
    loop = asyncio.get_running_loop()
    said = asyncio.Event()
    loop.add_reader(descriptor, said.set)
    try:
        async with asyncio.timeout(seconds):
            await said.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
    return os.read(descriptor, 64) != b""


def _loop() -> Any:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
