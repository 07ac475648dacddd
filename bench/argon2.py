"""Rate of bare password hashing on one core, as the upper limit of sign-ins.

Argon2id with the parameters of the sign-in (19 MiB, t=2, p=1), in as many threads as the server has cores, with every
installed implementation. The fastest is the limit, so that a slow implementation cannot flatter the server.
"""

import os
import statistics
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from bench.pin import pinned
from doorward.adapters.hashing.argon2 import NICE

MEMORY_KIB = 19 * 1024
ITERATIONS = 2
LANES = 1
_PASSWORD = b"correct horse battery staple"
_SALT = b"0123456789abcdef"
_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Raw:
    """Hashes a second by implementation."""

    rates: dict[str, float]

    @property
    def limit(self) -> float:
        """The fastest rate."""
        return max(self.rates.values())


def _reference() -> None:
    hash_secret_raw(_PASSWORD, _SALT, ITERATIONS, MEMORY_KIB, LANES, _LENGTH, Type.ID)


def _openssl() -> None:
    Argon2id(salt=_SALT, length=_LENGTH, iterations=ITERATIONS, lanes=LANES, memory_cost=MEMORY_KIB).derive(
        _PASSWORD
    )


def _rate(hash_once: Callable[[], None], threads: int, seconds: float) -> float:
    done = [0] * threads
    over = threading.Event()

    def work(number: int) -> None:
        _step_back()
        while not over.is_set():
            hash_once()
            done[number] += 1

    hash_once()
    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    time.sleep(seconds)
    over.set()
    for worker in workers:
        worker.join()
    return sum(done) / (time.perf_counter() - began)


def _step_back() -> None:
    # Same priority as the server's hashing threads: other work on this core then takes as much from either side.
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICE)


def raw_rates(core: int, *, seconds: float, threads: int = 1) -> Raw:
    """The raw rates on `core`, each measured for `seconds` in two alternating halves; their mean, as for the server."""
    found: dict[str, list[float]] = {}
    with pinned(core):
        for _ in range(2):
            for name, hash_once in (("argon2-cffi", _reference), ("cryptography", _openssl)):
                found.setdefault(name, []).append(_rate(hash_once, threads, seconds / 2))
    return Raw({name: statistics.fmean(rates) for name, rates in found.items()})
