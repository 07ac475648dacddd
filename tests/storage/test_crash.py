"""Durability: everything acknowledged is still there after the process was killed during writes."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.storage.children import go, start
from tests.storage.stores import Opener

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("after", [1, 40, 400, 2500])
async def test_acknowledged_commits_survive_a_kill(opener: Opener, after: int) -> None:
    store = await opener()
    await store.close()
    child = start(opener, "write_for_ever", "x")
    await asyncio.to_thread(go, child)
    assert child.stdout is not None
    acknowledged = [child.stdout.readline().strip() for _ in range(after)]
    child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate()
    # a line is written completely or not; a line cut by the kill was not printed
    acknowledged += [line for line in rest.split("\n")[:-1] if line]
    assert child.returncode == -signal.SIGKILL

    store = await opener()
    assert await store.ready()
    for key in acknowledged:
        assert (await store.meta(key), await store.meta(f"{key}-too")) == ("first", "second")
    # a commit that was not acknowledged is present as a whole or not at all
    for writer in range(30):
        last = max((int(k.split("-")[2]) for k in acknowledged if k.startswith(f"x-{writer}-")), default=-1)
        maybe = f"x-{writer}-{last + 1}"
        assert (await store.meta(maybe) is None) == (await store.meta(f"{maybe}-too") is None)
    assert await store.commit(store.put_meta("after", "the crash"))
    await store.close()


async def test_acknowledged_commits_survive_repeated_kills(opener: Opener) -> None:
    acknowledged: list[str] = []
    for round_ in range(8):
        child = start(opener, "write_for_ever", f"r{round_}")
        await asyncio.to_thread(go, child)
        assert child.stdout is not None
        acknowledged += [child.stdout.readline().strip() for _ in range(50 * (round_ + 1))]
        child.kill()
        rest, _ = child.communicate()
        acknowledged += [line for line in rest.split("\n")[:-1] if line]
    store = await opener()
    missing = [key for key in acknowledged if await store.meta(key) != "first"]
    assert (len(acknowledged) > 1000, missing) == (True, [])
    await store.close()
