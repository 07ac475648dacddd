"""Pauses of the event loop: only while hashing threads are kept from running."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from functools import partial

import pytest

from doorward.adapters.hashing.argon2 import Argon2Hasher
from doorward.adapters.hashing.share import EVERY, PATIENCE, PIECE, Share, processor_time
from doorward.core.model.policy import PasswordPolicy
from doorward.core.model.secret import Secret
from tests import waiting

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="a thread's processor time is told only on Linux"),
]


class Clocks:
    """Clocks controlled by a test, and a record of the loop's pauses."""

    def __init__(self) -> None:
        self.wall, self.processor, self.waiting = 100.0, 5.0, True
        self.rests: list[float] = []

    def share(self) -> Share:
        return Share(
            lambda: self.waiting,
            wall=lambda: self.wall,
            spent=lambda _thread: self.processor,
            rest=self.rests.append,
        )


def test_a_running_thread_does_not_starve_even_with_a_long_hash() -> None:
    clocks = Clocks()
    share = clocks.share()
    share.begin()
    clocks.wall += 3
    clocks.processor += 3
    assert not share.starved()


def test_a_thread_that_is_kept_from_running_starves() -> None:
    clocks = Clocks()
    share = clocks.share()
    share.begin()
    clocks.wall += PATIENCE / 2
    assert not share.starved()
    clocks.wall += PATIENCE
    assert share.starved()
    # and each password restarts its patience
    share.begin()
    assert not share.starved()


def test_a_thread_without_work_does_not_starve() -> None:
    clocks = Clocks()
    share = clocks.share()
    share.begin()
    share.end()
    clocks.wall += PATIENCE / 2
    assert not share.starved()


async def test_passwords_that_no_thread_takes_starve_too() -> None:
    clocks = Clocks()
    share = clocks.share()
    share.watch(asyncio.get_running_loop())
    await asyncio.sleep(PATIENCE * 2)
    assert clocks.rests == []
    clocks.wall += PATIENCE * 2
    await asyncio.sleep(PATIENCE + EVERY * 8)
    assert clocks.rests
    assert set(clocks.rests) == {PIECE}


async def test_the_loop_is_not_paused_when_no_password_waits() -> None:
    clocks = Clocks()
    share = clocks.share()
    share.begin()
    share.watch(asyncio.get_running_loop())
    clocks.wall += PATIENCE * 2
    await asyncio.sleep(PATIENCE + EVERY * 8)
    clocks.waiting = False
    await asyncio.sleep(EVERY * 4)
    before = len(clocks.rests)
    await asyncio.sleep(EVERY * 8)
    assert len(clocks.rests) == before > 0
    # until the next password
    clocks.waiting = True
    share.watch(asyncio.get_running_loop())
    await asyncio.sleep(PATIENCE + EVERY * 8)
    assert len(clocks.rests) > before


def test_a_thread_s_processor_time_is_its_own() -> None:
    def spin(seconds: float) -> None:
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass

    found: list[float] = []
    ready, over = threading.Event(), threading.Event()

    def work() -> None:
        spin(0.03)
        ready.set()
        over.wait()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    assert thread.ident is not None
    found.append(processor_time(thread.ident))
    spin(0.03)
    found.append(processor_time(thread.ident))
    over.set()
    thread.join()
    assert 0.03 <= found[0] <= found[1] < found[0] + 0.02


async def test_a_busy_loop_pauses_for_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []

    def rest(seconds: float) -> None:
        rests.append(seconds)
        time.sleep(seconds)

    monkeypatch.setattr("doorward.adapters.hashing.argon2.Share", partial(Share, rest=rest))
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    hasher = Argon2Hasher(PasswordPolicy(threads=1))
    over = asyncio.Event()

    async def busy() -> None:
        while not over.is_set():
            end = time.perf_counter() + 0.0005
            while time.perf_counter() < end:
                pass
            await asyncio.sleep(0)

    try:
        spinning = asyncio.create_task(busy())
        async with asyncio.timeout(waiting.PATIENCE):
            stored = await hasher.hash(Secret("correct horse battery staple"))
        over.set()
        await spinning
        assert stored.startswith("$argon2id$")
        assert rests
    finally:
        hasher.close()
        os.sched_setaffinity(0, allowed)
