"""Argon2id password hashing (RFC 9106, OWASP) in threads of its own, bounded and at low priority."""

from __future__ import annotations

import asyncio
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypedDict, final

from doorward.adapters.hashing import argon2_phc
from doorward.adapters.hashing.imported import verify_imported
from doorward.adapters.hashing.memory import give_back
from doorward.adapters.hashing.share import Share
from doorward.core.errors import HashingBusy
from doorward.core.model.policy import PasswordPolicy
from doorward.core.model.secret import Secret

_SALT = 16
_HASH = 32
NICE = 20
"""The nice value of hashing threads relative to the process, limited by the system; the bench measures bare Argon2id at
the same priority. While the loop is busy they get only its leftover time: `hashing/share.py`."""
# Seconds without a password after which a thread gives its memory back.
_REST = 2.0
# While at least this many wait, finished hashes are delivered together: each delivery wakes the loop and then the
# store, which evict the running hash from the core's caches; and sign-ins delivered together share one commit. The
# first of them waits for three more hashes, in a queue longer than that; all others are served sooner.
_BUNCH = 4
# If a hash takes longer than these seconds because the core is busy, no result waits for three more.
_SLOW = 0.05
_Job = tuple[Callable[[], Any], asyncio.Future[Any], asyncio.AbstractEventLoop]
_Finished = tuple[asyncio.Future[Any], asyncio.AbstractEventLoop, Any, BaseException | None]


class _Cost(TypedDict):
    memory_kib: int
    iterations: int
    lanes: int


@final
class Argon2Hasher:
    """`PasswordHasher` in threads that start with the first password and are daemons; `close` ends them.

    At most `policy.queue` may wait; more raise `HashingBusy` at once, so that a flood of sign-ins delays only itself.
    """

    def __init__(self, policy: PasswordPolicy) -> None:
        self._cost: _Cost = {
            "memory_kib": policy.memory_kib,
            "iterations": policy.iterations,
            "lanes": policy.lanes,
        }
        self._threads = policy.threads or cores()
        self._limit = policy.queue + self._threads
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._running: list[threading.Thread] = []
        self._pending = 0
        self._lock = threading.Lock()
        self._closed = False
        self._share = Share(lambda: self._pending > 0)
        # A well-formed hash of the current cost that no password has: its digest is random, so the same work returns
        # False.
        self._decoy = argon2_phc.unmatched(os.urandom(_SALT), os.urandom(_HASH), **self._cost)

    async def hash(self, password: Secret) -> str:
        """A PHC string under the current parameters. Raises `HashingBusy`."""
        clear = _bytes(password)
        return await self._run(lambda: argon2_phc.made(clear, os.urandom(_SALT), length=_HASH, **self._cost))

    async def verify(self, stored: str | None, password: Secret, *, typed: Secret | None = None) -> bool:
        """Whether the password made this hash; without a hash the same work is done and the result is False. `typed` is
        the password before it was normalised: an imported hash may have been made of it. Raises `HashingBusy`."""
        clear = _bytes(password)
        raw = clear if typed is None else _bytes(typed)
        against = self._decoy if stored is None else stored
        matches = await self._run(lambda: _matches(against, clear, raw))
        return matches and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with another algorithm or other parameters than the current ones."""
        return not stored.startswith(argon2_phc.parameters(**self._cost))

    def close(self) -> None:
        """End the threads; waiting jobs are still done."""
        with self._lock:
            self._closed = True
            threads, self._running = self._running, []
        for _ in threads:
            self._jobs.put(None)
        for thread in threads:
            thread.join()

    async def _run(self, work: Callable[[], Any]) -> Any:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        with self._lock:
            if self._closed or self._pending >= self._limit:
                raise HashingBusy
            self._pending += 1
            if len(self._running) < self._threads:
                thread = threading.Thread(target=self._work, name="doorward-hashing", daemon=True)
                self._running.append(thread)
                thread.start()
        self._jobs.put((work, done, loop))
        self._share.watch(loop)
        return await done

    def _work(self) -> None:
        _step_back()
        finished: list[_Finished] = []
        while (job := self._next(finished)) is not None:
            self._share.begin()
            work, done, loop = job
            # the caller may have gone: its connection closed, its request timed out
            began = time.monotonic()
            outcome: Any = None
            error: BaseException | None = None
            if not done.cancelled():
                try:
                    outcome = work()
                except Exception as caught:  # noqa: BLE001 - belongs to whoever awaits it
                    error = caught
            finished.append((done, loop, outcome, error))
            slow = time.monotonic() - began > _SLOW
            if slow or len(finished) >= min(_BUNCH, self._jobs.qsize()):
                self._hand_over(finished)
        self._hand_over(finished)

    def _hand_over(self, finished: list[_Finished]) -> None:
        with self._lock:
            self._pending -= len(finished)
        loops: dict[asyncio.AbstractEventLoop, list[_Finished]] = {}
        for one in finished:
            loops.setdefault(one[1], []).append(one)
        for loop, its in loops.items():
            with suppress(RuntimeError):  # the loop is closed: no caller waits any more
                loop.call_soon_threadsafe(_settle, its)
        finished.clear()

    def _next(self, finished: list[_Finished]) -> _Job | None:
        """The next job. A thread that has been idle for a while releases its memory: 19 MiB, by default."""
        try:
            if finished:
                return self._jobs.get_nowait()
        except queue.Empty:
            # another thread took the waiting job
            self._hand_over(finished)
        self._share.end()
        try:
            return self._jobs.get(timeout=_REST)
        except queue.Empty:
            give_back(self._cost["memory_kib"] * 1024)
            return self._jobs.get()


def cores() -> int:
    """The number of cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _settle(finished: list[_Finished]) -> None:
    for done, _, outcome, error in finished:
        if done.done():
            continue
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(outcome)


def _step_back() -> None:
    # On Linux priority belongs to the thread: signing and answering take precedence over hashing.
    if sys.platform == "linux":
        try:
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICE)
        except OSError:
            return  # a sandbox that forbids it: hashing works at normal priority


def _bytes(password: Secret) -> bytes:
    return password.reveal().encode("utf-8", "surrogatepass")


def _matches(stored: str, clear: bytes, raw: bytes) -> bool:
    if stored.startswith("$argon2"):
        return argon2_phc.matches(stored, clear)
    return verify_imported(stored, raw, clear)
