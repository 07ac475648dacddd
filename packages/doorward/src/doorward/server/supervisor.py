"""Supervisor of several workers on one port: starts them, replaces a dead one, and exchanges all of them on SIGHUP."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn, final

from doorward import __version__
from doorward.adapters import logs
from doorward.server import systemd as notify
from doorward.server import worker_args
from doorward.server.accept import PLACES, ConnectionCounts
from doorward.server.sockets import shown
from doorward.settings import Settings, SettingsError, load

# A worker has `worker.GRACE` seconds for requests in progress; then it closes the rest, and is killed if it does not exit.
_LEAVES_WITHIN: Final = 20
_STARTS_WITHIN: Final = 60.0
_SOON: Final = 5.0
"""A worker that dies within so many seconds of its start counts as never started."""
_GIVE_UP: Final = 5
_LOOK_EVERY: Final = 0.1
_SIGNALS: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


@final
class Supervisor:
    """The supervisor: single-threaded, holds only descriptors and process ids, so that what can fail is in the workers."""

    def __init__(
        self,
        *,
        settings: Settings,
        listeners: Sequence[socket.socket],
        args: worker_args.WorkerArgs,
        named: Path | None,
    ) -> None:
        self._settings = settings
        self._named = named
        self._sockets = listeners
        self._listeners = tuple(listener.fileno() for listener in listeners)
        self._handed = args.handed
        self._log = logs.logger("server")
        self._stopping = False
        self._reload = args.again
        self._parent_pipe = args.parent_pipe or os.pipe()
        self._counts = ConnectionCounts.new() if args.counts is None else ConnectionCounts(args.counts)
        self._generation = args.generation
        self._ready, self._says_ready = os.pipe()
        for descriptor in (self._parent_pipe[0], self._says_ready, self._counts.descriptor):
            os.set_inheritable(descriptor, True)
        # inheritable after exec; a worker that inherited this end would keep the pipe open after our death
        os.set_inheritable(self._parent_pipe[1], False)
        os.set_blocking(self._ready, False)
        self._workers: dict[int, int] = dict(args.workers)
        self._leaving: dict[int, float] = {
            pid: time.monotonic() + _LEAVES_WITHIN + settings.server.drain for pid in args.leaving
        }
        self._answering: set[int] = set(self._workers.values())
        self._started_at: dict[int, float] = dict.fromkeys(self._workers, time.monotonic())
        self._quick_deaths = 0
        self._again_at: dict[int, float] = {}
        self._took_over = bool(args.workers)

    def run(self) -> int:
        """Run until SIGTERM or SIGINT. Exit status 0 after a clean stop, 1 when the workers kept dying and none was left."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        count = self._settings.server.workers
        if not self._took_over:
            self._log.info(
                "server.starting", issuer=self._settings.issuer, workers=count, version=__version__
            )
        for number in range(count):
            if number not in self._workers:
                self._workers[number] = self._spawn(number)
        said_ready = self._took_over
        if said_ready:
            self._log.info("server.reloaded", workers=count, version=__version__)
            notify.notify(notify.READY)
        while not self._stopping:
            self._wait()
            self._replace_dead()
            if not said_ready and self._answering >= set(self._workers.values()):
                said_ready = True
                notify.ready(self._settings, workers=len(self._workers))
            if self._quick_deaths >= _GIVE_UP and not self._answering:
                break
            if self._reload and said_ready:
                self._reload = False
                self._exchange()
        notify.notify(notify.STOPPING)
        # the workers close their copies; ours would keep the port open with no process to answer
        for listener in self._sockets:
            listener.close()
        self._end([*self._workers.values(), *self._leaving], _LEAVES_WITHIN + self._settings.server.drain)
        self._log.info("server.stopped")
        return 0 if self._stopping else 1

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _on_reload(self, _number: int, _frame: FrameType | None) -> None:
        self._reload = True

    def _spawn(self, number: int) -> int:
        environment = dict(os.environ)
        metrics = self._settings.metrics.port
        if metrics is not None:
            # every worker counts for itself, so each has its own metrics page
            environment["DOORWARD_METRICS__PORT"] = str(metrics + number)
        self._started_at[number] = time.monotonic()
        return worker_args.spawn(
            worker_args.WorkerArgs(
                role="worker",
                listeners=self._listeners,
                handed=self._handed,
                number=number,
                ready=self._says_ready,
                parent_pipe=(self._parent_pipe[0],),
                counts=self._counts.descriptor,
                place=self._place(number),
            ),
            environment,
        )

    def _place(self, number: int) -> int:
        return number + PLACES // 2 * (self._generation % 2)

    def _wait(self) -> None:
        """Wait for a moment, or until a worker reports that it answers."""
        readable, _, _ = select.select([self._ready], [], [], _LOOK_EVERY)
        if not readable:
            return
        with suppress(BlockingIOError):
            self._answering |= {int(line) for line in os.read(self._ready, 4096).split()}

    def _replace_dead(self) -> None:
        """Record which workers died, and start their replacements."""
        now = time.monotonic()
        for pid, until in list(self._leaving.items()):
            if now > until:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if _gone(pid) is not None:
                del self._leaving[pid]
        for number, pid in list(self._workers.items()):
            if number in self._again_at:
                if now >= self._again_at[number]:
                    del self._again_at[number]
                    self._workers[number] = self._spawn(number)
                continue
            status = _gone(pid)
            if status is None:
                continue
            self._answering.discard(pid)
            self._counts.away(self._place(number))
            lived = now - self._started_at[number]
            # A worker that repeatedly dies right after its start has a lasting fault: retry with longer and longer pauses while
            # another worker answers, and give up if none does.
            self._quick_deaths = self._quick_deaths + 1 if lived < _SOON else 0
            self._log.error("server.worker_died", worker=number, status=status, lived=round(lived, 1))
            pause = min(30.0, 0.2 * 2**self._quick_deaths) if self._quick_deaths > 1 else 0.0
            self._again_at[number] = now + pause

    def _exchange(self) -> None:
        """Start new workers beside the old ones; when all answer, stop the old ones and replace this process by the new
        supervisor."""
        notify.reloading()
        try:
            settings = load(self._named, os.environ)
        except SettingsError as error:
            self._log.error("server.reload_refused", problems=error.problems)
            notify.notify(notify.READY)
            return
        if (settings.server.host, settings.port) != (self._settings.server.host, self._settings.port):
            self._log.warning(
                "server.address_needs_restart", address=shown(settings.server.host, settings.port)
            )
        before, self._settings = self._settings, settings
        fresh: dict[int, int] = {}
        self._generation += 1
        problem = self._all_answer(fresh)
        if problem is not None:
            self._settings = before
            self._end(list(fresh.values()), 0)
            for number in range(PLACES // 2):
                self._counts.away(self._place(number))
            self._generation -= 1
            self._log.error("server.reload_failed", reason=problem)
            notify.notify(notify.READY)
            return
        old = [pid for number, pid in self._workers.items() if number not in self._again_at]
        for pid in old:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGUSR1)
        self._workers = fresh
        become(
            worker_args.WorkerArgs(
                role="head",
                listeners=self._listeners,
                handed=self._handed,
                parent_pipe=tuple(self._parent_pipe),
                counts=self._counts.descriptor,
                generation=self._generation,
                workers=fresh,
                leaving=(*old, *self._leaving),
                again=self._reload,
            )
        )

    def _all_answer(self, fresh: dict[int, int]) -> str | None:
        """Start a worker for each number, into `fresh`, and wait for all. Returns what went wrong, or None."""
        until = time.monotonic() + _STARTS_WITHIN
        try:
            for number in range(self._settings.server.workers):
                fresh[number] = self._spawn(number)
        except OSError as error:
            return f"a worker cannot be started ({error.strerror})"
        while not set(fresh.values()) <= self._answering:
            self._wait()
            if self._stopping:
                return "the server was told to stop"
            for number, pid in list(fresh.items()):
                status = _gone(pid)
                if status is not None:
                    del fresh[number]
                    return f"new worker {number} ended with status {status}; the old ones go on"
            if time.monotonic() > until:
                return f"the new workers did not answer within {_STARTS_WITHIN:.0f} s; the old ones go on"
        return None

    def _end(self, processes: Sequence[int], seconds: float) -> None:
        """Send SIGTERM, wait so many seconds, send SIGKILL; with None, send SIGKILL at once."""
        left = set(processes)
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM if seconds else signal.SIGKILL)
        until = time.monotonic() + seconds
        while left:
            left = {pid for pid in left if _gone(pid) is None}
            if left and time.monotonic() > until:
                for pid in left:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)


def become(args: worker_args.WorkerArgs) -> NoReturn:
    """Replace this process by the supervisor of the installed version; the workers stay its children. Raises OSError.

    Signals that arrive before the new program can handle them are kept: the mask survives exec, and they are delivered when it is
    lifted.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    for descriptor in (*args.listeners, *args.parent_pipe, *(() if args.counts is None else (args.counts,))):
        os.set_inheritable(descriptor, True)
    arguments = worker_args.command(args)
    os.execve(arguments[0], arguments, dict(os.environ))  # noqa: S606 - no shell, our own interpreter


def _gone(pid: int) -> int | None:
    """The exit status of a child that has ended, as `subprocess` reports it; None while it runs."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status) if found else None
