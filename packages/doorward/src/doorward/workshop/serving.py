"""`python -m doorward.workshop.serving WORKERS`: the process that serves, alone or at the head of workers on one socket.

The settings come from the environment, `DOORWARD_CONFIG` and `DOORWARD_*`, as `wiring` reads them in every worker.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from doorward import __version__
from doorward.outside import logs
from doorward.settings import Settings, SettingsError, load

BACKLOG = 2048
GRACE = 10
"""Seconds that requests under way have to end when the server stops."""


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT. Exit status 0 after a clean stop, 1 when it could not start or a worker kept dying."""
    workers = int(arguments[0])
    environment = dict(os.environ)
    named = environment.pop("DOORWARD_CONFIG", None)
    try:
        settings = load(Path(named) if named else None, environment)
    except SettingsError as error:
        sys.stderr.write("\n".join(error.problems) + "\n")
        return 1
    logs.configure(settings.log.level, settings.log.format)
    log = logs.logger("server")
    if len(arguments) == 3:
        listener = socket.socket(fileno=int(arguments[2]))
        return serve(settings, listener, worker=int(arguments[1]), workers=workers)
    try:
        listener = listen(settings.server.host, settings.port)
    except OSError as error:
        log.error(
            "server.cannot_listen", host=settings.server.host, port=settings.port, reason=error.strerror
        )
        return 1
    if workers == 1:
        return serve(settings, listener, worker=0, workers=1)
    return supervise(settings, listener, workers)


def listen(host: str, port: int) -> socket.socket:
    """The listening socket, inheritable. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener


def serve(settings: Settings, listener: socket.socket, *, worker: int, workers: int) -> int:
    """One process's event loop, on uvloop where there is one."""
    # Imported here: the head of several workers needs none of it.
    import uvicorn

    from doorward.web.direct import DirectProtocol
    from doorward.wiring import create_app

    log = logs.logger("server")

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            # What is there now stays: the collector need not look through it again, at every full round, for as long as we run.
            gc.collect()
            gc.freeze()
            if not self.should_exit and worker == 0:
                log.info(
                    "server.ready",
                    issuer=settings.issuer,
                    address=f"{settings.server.host}:{settings.port}",
                    workers=workers,
                    version=__version__,
                )

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            # said here too, not only by each connection: who waited for news and hung up has no connection any more, and its
            # request would hold up the stop for as long as it had wanted to wait
            if application.app is not None:
                application.app.closing()
            await super().shutdown(sockets)

    application = create_app()
    server = Server(
        uvicorn.Config(
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
            timeout_keep_alive=75,
            timeout_graceful_shutdown=GRACE,
            ssl_certfile=settings.server.tls_cert,
            ssl_keyfile=settings.server.tls_key,
        )
    )
    begun = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        # uvicorn stops politely and then raises the signal anew: by then all is done, and the status is that of an end as
        # planned. Before it has begun there is nothing to be polite about.
        if not begun:
            raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        begun = True
        server.run(sockets=[listener])
    except SystemExit:
        return 1  # it could not start, and has said why
    return 0 if server.started else 1


def supervise(settings: Settings, listener: socket.socket, workers: int) -> int:
    """Start the workers, start one anew when it dies, stop them all when told to."""
    log = logs.logger("server")
    log.info("server.starting", issuer=settings.issuer, workers=workers, version=__version__)
    stopping = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)

    def start(worker: int) -> subprocess.Popen[bytes]:
        environment = dict(os.environ)
        if settings.metrics.port is not None:
            # every worker counts for itself, so each has a page of its own
            environment["DOORWARD_METRICS__PORT"] = str(settings.metrics.port + worker)
        arguments = [sys.executable, "-m", "doorward.workshop.serving", str(workers), str(worker)]
        arguments.append(str(listener.fileno()))
        return subprocess.Popen(arguments, env=environment, pass_fds=[listener.fileno()])  # noqa: S603

    running = {worker: start(worker) for worker in range(workers)}
    born = dict.fromkeys(running, time.monotonic())
    quick_deaths = 0
    while not stopping and quick_deaths < 5:
        time.sleep(0.2)
        for worker, process in running.items():
            if process.poll() is None:
                continue
            lived = time.monotonic() - born[worker]
            # dying right after the start, over and over, is no accident but a fault that stays
            quick_deaths = quick_deaths + 1 if lived < 5 else 0
            log.error("server.worker_died", worker=worker, status=process.returncode, lived=round(lived, 1))
            if stopping or quick_deaths >= 5:
                break
            running[worker] = start(worker)
            born[worker] = time.monotonic()
    _end(list(running.values()))
    log.info("server.stopped")
    return 0 if quick_deaths < 5 else 1


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    until = time.monotonic() + GRACE + 5
    for process in processes:
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _loop() -> Any:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
