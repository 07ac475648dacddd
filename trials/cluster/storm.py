"""Failures during the trial: a node is killed every few seconds, and once the primary, so that the standby takes over."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from trials.cluster.node import Node
from trials.cluster.postgres import Pair

DETECTION = 2.0
"""Seconds until the standby is promoted: a failover tool is not part of the trial."""

BEHIND = 1.0
"""Lag of an asynchronous standby when the primary dies: the trial must be able to detect the resulting loss."""


@dataclass(slots=True)
class Storm:
    """The failures so far. Times are on the monotonic clock."""

    lasted: float = 0.0
    kills: int = 0
    restarts: int = 0
    down: list[float] = field(default_factory=list[float])
    """Downtime of each killed node in seconds, from the kill until it was ready."""
    primary_killed: float | None = None
    promoted: float | None = None


async def rage(
    nodes: Sequence[Node],
    pair: Pair | None,
    *,
    seconds: float,
    every: float,
    at_least: int,
    unplug: bool,
    say: Callable[[str], None],
    seed: int = 1,
) -> Storm:
    """kill -9 of a node every `every` seconds for `seconds`, and of the primary in the middle. Returns when all nodes
    are back. `at_least`: on a busy machine, where nodes start slowly, continue until this many were killed, for half as
    long again. `unplug`: the primary is cut off instead of killed, so that no connection to it is closed.

    Raises RuntimeError when a node does not come back.
    """
    storm, rng = Storm(), random.Random(seed)
    began = time.monotonic()
    coming: set[asyncio.Task[None]] = set()
    failover: asyncio.Task[None] | None = None
    if pair is not None:
        failover = asyncio.create_task(_fail_over(pair, storm, seconds / 2, say, unplug=unplug))
    try:
        while (passed := time.monotonic() - began) < seconds or (
            storm.kills < at_least and passed < 1.5 * seconds
        ):
            await asyncio.sleep(every * rng.uniform(0.8, 1.2))
            alive = [node for node in nodes if node.running and not _coming(node, coming)]
            # one node always stays: the loss of all nodes is another trial
            if len(alive) < 2:
                continue
            node = rng.choice(alive)
            coming.add(asyncio.create_task(_kill(node, storm, rng.uniform(0.3, 1.0)), name=node.machine.name))
            for task in [task for task in coming if task.done()]:
                coming.discard(task)
                task.result()
        storm.lasted = time.monotonic() - began
        await asyncio.gather(*coming)
        if failover is not None:
            await failover
    finally:
        for task in (*coming, *([failover] if failover is not None else [])):
            task.cancel()
    return storm


def _coming(node: Node, tasks: set[asyncio.Task[None]]) -> bool:
    return any(task.get_name() == node.machine.name and not task.done() for task in tasks)


async def _kill(node: Node, storm: Storm, pause: float) -> None:
    killed = time.monotonic()
    await asyncio.to_thread(node.kill)
    storm.kills += 1
    await asyncio.sleep(pause)
    # a node that starts without a primary exits: a service manager restarts it
    for attempt in range(10):
        try:
            await asyncio.to_thread(node.start)
            break
        except RuntimeError:
            if attempt == 9:
                raise
            await asyncio.to_thread(node.stop)
            await asyncio.sleep(0.5)
    storm.restarts += 1
    storm.down.append(time.monotonic() - killed)


async def _fail_over(
    pair: Pair, storm: Storm, after: float, say: Callable[[str], None], *, unplug: bool
) -> None:
    await asyncio.sleep(after)
    if not pair.synchronous:
        await asyncio.to_thread(pair.fall_behind)
        await asyncio.sleep(BEHIND)
    storm.primary_killed = time.monotonic()
    if unplug:
        pair.primary.machine.unplug()
    else:
        await asyncio.to_thread(pair.primary.kill)
    say(f"the primary is gone ({'its cable was pulled' if unplug else 'kill -9'})")
    await asyncio.sleep(DETECTION)
    await asyncio.to_thread(pair.promote)
    storm.promoted = time.monotonic()
    say(f"the standby is the primary, {storm.promoted - storm.primary_killed:.1f} s later")
