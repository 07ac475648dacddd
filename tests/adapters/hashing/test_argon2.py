"""Argon2id password hashing: OWASP parameters, bounded threads of low priority, and no hint whether an account exists."""

from __future__ import annotations

import asyncio
import mmap
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from doorward.adapters.hashing import argon2_phc
from doorward.adapters.hashing.argon2 import Argon2Hasher, cores
from doorward.adapters.hashing.imported import verify_imported
from doorward.adapters.hashing.memory import give_back
from doorward.core.errors import HashingBusy
from doorward.core.model.policy import PasswordPolicy
from doorward.core.model.secret import Secret
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio
RIGHT = Secret("correct horse battery staple")
WRONG = Secret("Correct horse battery staple")


@pytest.fixture
def hasher() -> Iterator[Argon2Hasher]:
    made = Argon2Hasher(PasswordPolicy(threads=2, queue=4))
    yield made
    made.close()


@pytest.mark.requirement(79)
async def test_hashes_are_argon2id_with_at_least_19_mib_and_two_rounds(hasher: Argon2Hasher) -> None:
    stored = await hasher.hash(RIGHT)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PasswordHasher().verify(stored, RIGHT.reveal())
    assert await hasher.hash(RIGHT) != stored
    assert await hasher.verify(stored, RIGHT)
    assert not await hasher.verify(stored, WRONG)


@pytest.mark.requirement(79)
async def test_older_parameters_are_detected(hasher: Argon2Hasher) -> None:
    assert not hasher.outdated(await hasher.hash(RIGHT))
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(RIGHT.reveal())
    assert hasher.outdated(old)
    assert await hasher.verify(old, RIGHT)
    assert hasher.outdated("pbkdf2_sha256$1$a$b")


@pytest.mark.requirement(78)
async def test_a_long_password_is_never_cut(hasher: Argon2Hasher) -> None:
    long = "x" * 255
    stored = await hasher.hash(Secret(long + "a"))
    assert not await hasher.verify(stored, Secret(long + "b"))


@pytest.mark.requirement(80)
async def test_without_an_account_the_same_work_is_done_and_the_result_is_false(hasher: Argon2Hasher) -> None:
    stored = await hasher.hash(RIGHT)

    async def took(against: str | None) -> float:
        start = time.process_time()
        assert not await hasher.verify(against, WRONG)
        return time.process_time() - start

    # processor time of all threads, and the minimum of alternating rounds: other load on the machine adds none
    rounds = [(await took(stored), await took(None)) for _ in range(15)]
    known, unknown = min(one for one, _ in rounds), min(other for _, other in rounds)
    assert 0.7 < unknown / known < 1.4


@pytest.mark.requirement(79)
async def test_requests_beyond_the_queue_raise_hashing_busy_at_once() -> None:
    # slow enough that none finishes before all have been queued
    slow = Argon2Hasher(PasswordPolicy(threads=2, queue=4, iterations=16))
    outcomes = await asyncio.gather(*(slow.hash(RIGHT) for _ in range(20)), return_exceptions=True)
    busy = [outcome for outcome in outcomes if isinstance(outcome, HashingBusy)]
    assert len(busy) == 20 - (2 + 4)
    # and the slots are free again afterwards
    assert await slow.hash(RIGHT)
    slow.close()


async def test_a_cancelled_request_is_not_hashed_and_blocks_no_other(hasher: Argon2Hasher) -> None:
    tasks = [asyncio.create_task(hasher.hash(RIGHT)) for _ in range(6)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                assert await hasher.hash(RIGHT)
                break
            except HashingBusy:
                await asyncio.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="priority belongs to a thread only on Linux")
async def test_only_hashing_threads_have_low_priority(hasher: Argon2Hasher) -> None:
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    await hasher.hash(RIGHT)
    hashing = [thread for thread in threading.enumerate() if thread.name == "doorward-hashing"]
    assert hashing
    for thread in hashing:
        assert thread.native_id is not None
        assert os.getpriority(os.PRIO_PROCESS, thread.native_id) > own
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own


async def test_there_are_never_more_threads_than_allowed(hasher: Argon2Hasher) -> None:
    await asyncio.gather(*(hasher.hash(RIGHT) for _ in range(6)))
    assert sum(thread.name == "doorward-hashing" for thread in threading.enumerate()) <= 2
    assert 1 <= cores() <= (os.cpu_count() or 1)


async def test_a_closed_hasher_raises_hashing_busy() -> None:
    made = Argon2Hasher(PasswordPolicy(threads=1))
    await made.hash(RIGHT)
    made.close()
    with pytest.raises(HashingBusy):
        await made.hash(RIGHT)


@pytest.mark.parametrize(
    "stored", ["", "x", "$argon2id$", "$argon2id$v=19$m=1$x$y", "$argon2x$v=19$", "$2b$12$x", "ä"]
)
async def test_a_damaged_hash_matches_nothing(hasher: Argon2Hasher, stored: str) -> None:
    assert not await hasher.verify(stored, RIGHT)


async def test_half_a_surrogate_pair_raises_no_error(hasher: Argon2Hasher) -> None:
    odd = Secret("x" * 20 + "\ud800")
    assert await hasher.verify(await hasher.hash(odd), odd)


@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_imported_pbkdf2_hashes_match(digest: str) -> None:
    import hashlib
    from base64 import b64encode

    raw = hashlib.pbkdf2_hmac(digest, b"secret", b"salt", 1000)
    adapted = b64encode(raw).decode().rstrip("=").replace("+", ".")
    salt = b64encode(b"salt").decode().rstrip("=")
    assert verify_imported(f"$pbkdf2-{digest}$1000${salt}${adapted}", b"secret")
    assert not verify_imported(f"$pbkdf2-{digest}$1000${salt}${adapted}", b"Secret")
    if digest == "sha256":
        assert verify_imported(f"pbkdf2_sha256$1000$salt${b64encode(raw).decode()}", b"secret")


@pytest.mark.parametrize(
    "stored",
    ["pbkdf2_sha256$0$salt$AAAA", "pbkdf2_sha256$x$salt$AAAA", "pbkdf2_sha256$99999999$salt$AAAA", "pbkdf2_sha256$1$salt$", "pbkdf2_md5$1$s$AAAA"],
)  # fmt: skip
def test_invalid_imported_hashes_match_nothing(stored: str) -> None:
    assert not verify_imported(stored, b"secret")


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a thread is advised upon only on Linux")
def test_an_idle_thread_releases_its_memory_and_can_hash_again() -> None:
    def resident() -> int:
        with Path("/proc/self/statm").open(encoding="ascii") as pages:
            return int(pages.read().split()[1]) * mmap.PAGESIZE

    held: list[int] = []

    def in_one_thread() -> None:
        first = argon2_phc.made(b"x", b"s" * 16, memory_kib=65_536, iterations=1, lanes=1, length=32)
        argon2_phc.made(b"x", b"s" * 16, memory_kib=19_456, iterations=2, lanes=1, length=32)
        held.append(resident())
        give_back(19_456 * 1024)
        held.append(resident())
        assert argon2_phc.matches(first, b"x")

    thread = threading.Thread(target=in_one_thread)
    thread.start()
    thread.join()
    assert len(held) == 2
    assert held[0] - held[1] > 12 * 1024 * 1024


@pytest.mark.parametrize("threads", [1, 2, 4])
async def test_every_caller_gets_its_result_when_results_are_delivered_together(threads: int) -> None:
    made = Argon2Hasher(PasswordPolicy(threads=threads, queue=64))
    try:
        for asked in (1, 2, 5, 17):
            async with asyncio.timeout(PATIENCE):
                stored = await asyncio.gather(*(made.hash(RIGHT) for _ in range(asked)))
            assert len(set(stored)) == asked
    finally:
        made.close()
