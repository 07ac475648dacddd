"""Promised figures with their floors and aims: the names in build/bench-scale.json.

Below the floor something is broken, with a margin for a busy machine; the aim is the target of the design.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.figures import Promise
from bench.scale.grown import label
from bench.scale.workers import KINDS, NUMBERS

ENGINES = ("sqlite", "postgres")
READ_AIM, READ_FLOOR = 1.3, 2.0
WRITE_AIM, WRITE_FLOOR = 2.0, 4.0
_OPERATIONS = (
    ("sign_in_lookup", "a sign-in look-up", False),
    ("introspection", "an introspection", False),
    ("refresh", "a refresh", True),
    ("http_introspection", "an introspection over HTTP", False),
    ("http_refresh", "a refresh over HTTP", True),
)
# floor and aim by number of workers; three cores for workers, database and all
_VERSUS_PEER = {
    "client_credentials": {1: (1.0, 1.5), 2: (1.5, 2.5), 4: (1.8, 3.0)},
    "refresh": {1: (0.3, 0.5), 2: (0.5, 0.9), 4: (0.6, 1.2)},
}
_MORE_WORKERS = {2: (1.3, 1.7), 4: (1.4, 2.2)}


def growth_name(engine: str, operation: str, grants: int, base: int) -> str:
    """The name of a growth figure."""
    return f"{engine}_{operation}_{label(grants)}_vs_{label(base)}"


def sweep_name(engine: str) -> str:
    """The name of a sweep figure."""
    return f"{engine}_refresh_p99_during_sweep_ratio"


def peer_name(kind: str, workers: int) -> str:
    """The name of a figure compared with the peer."""
    return f"postgres_{kind}_{_workers(workers)}_vs_oidc_provider"


def workers_name(kind: str, workers: int) -> str:
    """The name of a figure of several workers compared with one."""
    return f"postgres_{kind}_{_workers(workers)}_vs_1"


def _workers(number: int) -> str:
    return f"{number}_worker" if number == 1 else f"{number}_workers"


def promises(engines: Sequence[str], sizes: Sequence[int], *, workers: bool) -> list[Promise]:
    """All figures of a run over these engines and sizes."""
    base, *larger = sizes
    every: list[Promise] = []
    for engine in engines:
        for operation, meaning, writes in _OPERATIONS:
            floor, aim = (WRITE_FLOOR, WRITE_AIM) if writes else (READ_FLOOR, READ_AIM)
            for grants in larger:
                text = f"{engine}: time of {meaning} among {grants:,} / among {base:,}"
                name = growth_name(engine, operation, grants, base)
                every.append(Promise(name, floor, aim, text, at_most=True))
        text = f"{engine}: p99 of refresh during the sweep / without"
        every.append(Promise(sweep_name(engine), 4.0, 2.0, text, at_most=True))
    if workers:
        every += _of_workers()
    return every


def _of_workers() -> list[Promise]:
    every: list[Promise] = []
    for kind in KINDS:
        for number in NUMBERS:
            floor, aim = _VERSUS_PEER[kind][number]
            who = _workers(number).replace("_", " ")
            text = f"{kind}, {who} on PostgreSQL / oidc-provider in memory, one process"
            every.append(Promise(peer_name(kind, number), floor, aim, text))
        for number in NUMBERS[1:]:
            floor, aim = _MORE_WORKERS[number]
            every.append(
                Promise(workers_name(kind, number), floor, aim, f"{kind}, {number} workers / one worker")
            )
    return every
