"""Serving process, from its first request to its graceful stop; uses uvloop where it is installed."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import Final, cast, final

from msgspec import structs

from doorward.core.lean_import import load_without

# it reads encrypted keys of OpenSSH with it, which no setting names
load_without("cryptography.hazmat.primitives.serialization.ssh", "bcrypt")

from doorward.adapters import logs  # noqa: E402
from doorward.app.process import create_app  # noqa: E402
from doorward.server import systemd as notify  # noqa: E402
from doorward.server import worker_args  # noqa: E402
from doorward.server.accept import AcceptBalancer, ConnectionCounts, drain_backlog  # noqa: E402
from doorward.server.sockets import BACKLOG, listen, room_for, shown  # noqa: E402
from doorward.settings import Settings  # noqa: E402
from doorward.web.connection_limits import LimitedProtocol  # noqa: E402
from doorward.web.router import Server as Application  # noqa: E402
from doorward.web.uvicorn_parts import Config, Server  # noqa: E402

GRACE: Final = 10
"""Seconds that requests in progress have to finish when a process stops."""
LINGER: Final = 1.0
"""Seconds after which an idle connection is closed during a stop; on an active one, the next response announces the close."""
START_SECONDS: Final = 60.0
"""Seconds that a new worker has to answer; after that it counts as failed."""


@final
class Serving(Server):
    """uvicorn's server with our own start notification and our own graceful stop."""

    def __init__(
        self,
        *,
        config: Config,
        application: Application,
        settings: Settings,
        args: worker_args.WorkerArgs,
        listeners: Sequence[socket.socket],
    ) -> None:
        super().__init__(config)
        self._listeners = listeners
        self._application = application
        self._settings = settings
        self._args = args
        self.alone = args.role == "first"
        self.at_once = False
        """Whether to stop without the wait of `server.drain`."""
        self.others_stay = args.handed
        """Whether other processes answer on this port after this one has stopped."""
        self.told_to_stop = False
        self.reload = False
        self._counts: ConnectionCounts | None = None
        self._balancers: list[AcceptBalancer] = []
        self._reloading: asyncio.Task[None] | None = None
        self.becomes: worker_args.WorkerArgs | None = None
        """After a reload: the arguments of the supervisor that this process becomes."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start serving, and notify the supervisor or service manager."""
        await super().startup([])
        if not self.should_exit:
            await self._listen(sockets or ())
        # Existing objects stay for the life of the process: the garbage collector need not scan them at every full collection.
        gc.collect()
        gc.freeze()
        if self.should_exit:
            return
        if self._args.parent_pipe:
            asyncio.get_running_loop().add_reader(self._args.parent_pipe[0], self._supervisor_has_exited)
        if self._args.ready is not None:
            os.write(self._args.ready, b"%d\n" % os.getpid())
            os.close(self._args.ready)
        if self.alone:
            notify.ready(self._settings, workers=1)

    async def on_tick(self, counter: int) -> bool:
        """uvicorn asks ten times a second whether to go on."""
        if self.reload and (self._reloading is None or self._reloading.done()):
            self.reload = False
            self._reloading = asyncio.create_task(self._reload())
        if self._counts is not None:
            self._counts.write(self._args.place, self._connections_now())
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second SIGTERM ends the wait."""
        if self.told_to_stop:
            self.at_once = True
        self.told_to_stop = True
        super().handle_exit(sig, frame)

    def leave(self) -> None:
        """Other processes answer on this port: finish the requests in progress and exit."""
        self.others_stay = self.at_once = self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop in order: readiness turns off, no connection is accepted, requests in progress finish; only then uvicorn
        closes."""
        if self.alone and self.becomes is None:
            notify.notify(notify.STOPPING)
        if (app := self._application.app) is not None:
            app.closing()
        for _ in range(self._settings.server.drain * 10):
            if self.at_once:
                break
            await asyncio.sleep(0.1)
        if self.alone and self.becomes is None:
            for listener in self._listeners:
                listener.close()
        await self._stop_accepting(sockets or ())
        loop = asyncio.get_running_loop()
        until = loop.time() + GRACE
        while self.server_state.connections and loop.time() < until and not self.force_exit:
            # uvicorn's type also covers protocols that are not installed everywhere
            for connection in cast("list[object]", list(self.server_state.connections)):
                if isinstance(connection, LimitedProtocol):
                    connection.close_resting(LINGER)
            await asyncio.sleep(0.05)
        await super().shutdown(sockets)

    async def _stop_accepting(self, sockets: Sequence[socket.socket]) -> None:
        """New connections are refused so that clients retry on another node. Connections that already wait in the queue are
        accepted: when the last copy of a listening socket is closed, the kernel resets them, with the requests they carry."""
        for balancer in self._balancers:
            balancer.close()
        last = not self.others_stay
        if self._counts is not None:
            self._counts.away(self._args.place)
            last = last and not self._counts.others(self._args.place)
        spare = [listener.dup() for listener in sockets] if last else []
        for server in self.servers:
            server.close()
        for listener in sockets:
            listener.close()
        waiting = drain_backlog(spare)
        for listener in spare:
            listener.close()
        for connection in waiting:
            await self._accept(connection)

    async def _listen(self, sockets: Sequence[socket.socket]) -> None:
        """The application has started: connections are accepted from here on. Raises `SystemExit`."""
        try:
            for listener in sockets:
                listen(listener)
        except OSError as error:
            # another server has taken the port since it was bound
            address = shown(self._settings.server.host, self._settings.port)
            logs.logger("server").error("server.cannot_listen", address=address, reason=error.strerror)
            await self.lifespan.shutdown()
            raise SystemExit(1) from None
        if not self.alone:
            self._start_accepting(sockets)
            return
        # with a supervisor the workers share the connections; alone, the event loop accepts them, which costs less
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(self._protocol, sock=listener, ssl=self.config.ssl, backlog=BACKLOG)
            for listener in sockets
        ]

    def _start_accepting(self, sockets: Sequence[socket.socket]) -> None:
        if self._args.counts is None:
            raise ValueError("a worker needs the connection counts of its supervisor")
        self._counts = ConnectionCounts(self._args.counts)
        self._counts.write(self._args.place, 0)
        self._balancers = [
            AcceptBalancer(
                listener=listener,
                counts=self._counts,
                place=self._args.place,
                connections=self._connections_now,
                accept_connection=self._accept,
            )
            for listener in sockets
        ]
        for balancer in self._balancers:
            balancer.open()

    def _connections_now(self) -> int:
        return len(self.server_state.connections)

    async def _accept(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        with suppress(OSError):
            if connection.family != socket.AF_UNIX:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(self._protocol, connection, ssl=self.config.ssl)
        if self._counts is not None and not self.should_exit:
            self._counts.write(self._args.place, self._connections_now())

    def _protocol(self) -> LimitedProtocol:
        return LimitedProtocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    def _supervisor_has_exited(self) -> None:
        asyncio.get_running_loop().remove_reader(self._args.parent_pipe[0])
        self.leave()
        self.others_stay = self._args.handed

    async def _reload(self) -> None:
        """Without a supervisor: start a worker on the same socket, and stop when it answers. `__main__.py` then turns this
        process into a supervisor, so that the service manager keeps the process id that it knows."""
        log = logs.logger("server")
        notify.reloading()
        ready, says_ready = os.pipe()
        parent_pipe = os.pipe()
        for descriptor in (says_ready, parent_pipe[0]):
            os.set_inheritable(descriptor, True)
        counts = ConnectionCounts.new()
        listeners = self._args.listeners
        try:
            successor = worker_args.spawn(
                worker_args.WorkerArgs(
                    role="worker",
                    listeners=listeners,
                    handed=self._args.handed,
                    ready=says_ready,
                    parent_pipe=(parent_pipe[0],),
                    counts=counts.descriptor,
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
            self.becomes = structs.replace(
                self._args,
                role="head",
                workers={0: successor},
                parent_pipe=parent_pipe,
                counts=counts.descriptor,
            )
            self.leave()
            return
        if successor is not None:
            log.error("server.reload_failed", reason="the new worker does not answer; this one goes on")
            with suppress(ProcessLookupError):
                os.kill(successor, signal.SIGKILL)
            await asyncio.to_thread(os.waitpid, successor, 0)
        for descriptor in (*parent_pipe, counts.descriptor):
            os.close(descriptor)
        notify.notify(notify.READY)


def serve(
    settings: Settings, listeners: Sequence[socket.socket], args: worker_args.WorkerArgs
) -> int | worker_args.WorkerArgs:
    """Serve until told to stop; returns the exit status, or the arguments of the supervisor to become after a reload.

    Without a supervisor, the server runs on copies of the listeners; the originals go to a successor.
    """
    application = create_app()
    connections = room_for(settings.server.connections)
    if connections < settings.server.connections:
        logs.logger("server").warning(
            "server.few_files", connections=connections, wanted=settings.server.connections
        )
    server = Serving(
        config=Config(
            application,
            # uvloop where it is installed
            loop="auto",
            http=LimitedProtocol,
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
        args=args,
        listeners=listeners,
    )
    begun = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        # uvicorn stops gracefully and then raises the signal again: by then all is done, and the exit status is that of a planned
        # stop. Before the start there is nothing to finish.
        if not begun:
            raise SystemExit(0)

    def leave(_number: int, _frame: FrameType | None) -> None:
        server.leave()

    def reload(_number: int, _frame: FrameType | None) -> None:
        server.reload = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGUSR1, leave)
    # a worker gets its instructions from its supervisor
    signal.signal(signal.SIGHUP, reload if server.alone else signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    try:
        begun = True
        server.run(sockets=[listener.dup() if server.alone else listener for listener in listeners])
    except SystemExit:
        return 1  # it could not start, and has logged why
    if server.told_to_stop or server.becomes is None:
        # a successor stops as well, once this process has exited
        return 0 if server.started else 1
    return structs.replace(server.becomes, again=server.reload)


async def _hears(descriptor: int, seconds: float) -> bool:
    """Whether a byte arrives from the other end within so many seconds. A process that dies closes its end without sending
    one."""
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
