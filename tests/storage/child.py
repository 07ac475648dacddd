"""Child process on the same database, started by the tests: `python -m tests.storage.child KIND PLACE TASK …`.

Everything that the database acknowledged is printed at once, so that a test that kills this process knows what must be
there.
"""

from __future__ import annotations

import asyncio
import os
import sys

from msgspec.structs import replace

from doorward.storage.sql.store import Store
from tests.storage.samples import DAY, NOW, account, refresh, revocation, rotated, sha
from tests.storage.samples_devices import remembered
from tests.storage.stores import Opener


def say(text: str) -> None:
    """Print one line and flush it, so that it is out before a kill."""
    os.write(1, f"{text}\n".encode())


async def write_for_ever(store: Store, name: str) -> None:
    """Thirty writers, each with commits of two rows; prints each acknowledged number."""

    async def one(writer: int) -> None:
        number = 0
        while True:
            key = f"{name}-{writer}-{number}"
            assert await store.commit(store.put_meta(key, "first"), store.put_meta(f"{key}-too", "second"))
            say(key)
            number += 1

    await asyncio.gather(*(one(writer) for writer in range(30)))


async def spend(store: Store, name: str, rounds: str) -> None:
    """Tries to spend `rounds` tokens, eight times concurrently for each; prints the winning successors."""
    for number in range(int(rounds)):

        async def attempt(rival: int, number: int = number) -> None:
            old = refresh(f"round {number}")
            new = rotated(old, f"{name} {number} {rival}")
            won = await store.commit(
                store.grants.spend_refresh(old, new, account()),
                store.revocations.insert(revocation(f"{name} {number} {rival}", expires_at=NOW + DAY)),
            )
            if won:
                say(f"{number} {new.hash.hex()}")

        await asyncio.gather(*(attempt(rival) for rival in range(8)))


async def rotate(store: Store, name: str, rounds: str) -> None:
    """Uses `rounds` remembered devices with the same secret, eight times concurrently for each; every other process writes another
    successor. Prints the successors that were accepted."""
    for number in range(int(rounds)):
        device = remembered(f"round {number}")
        successor = sha(f"successor of {number}" if number % 2 else f"successor of {number} by {name}")
        turns = store.remembered_devices.rotate(
            device, shown=device.secret_hash, successor=successor, since=NOW - 60, at=NOW + 1
        )
        for won in await asyncio.gather(*(store.commit(turns) for _ in range(8))):
            if won:
                say(f"{number} {successor.hex()}")


async def redeem(store: Store, name: str, codes: str) -> None:
    """Tries to redeem `codes` codes, eight times concurrently for each; prints those it got."""
    for number in range(int(codes)):
        won = await asyncio.gather(
            *(store.commit(store.grants.redeem_code(sha(f"code {number}"), NOW)) for _ in range(8))
        )
        for _ in range(sum(won)):
            say(f"{number} {name}")


async def count(store: Store, name: str, tries: str) -> None:
    """Counts `tries` attempts in one bucket."""
    assert name
    await asyncio.gather(*(store.commit(store.attempts.add("shared", NOW, 900)) for _ in range(int(tries))))


async def wait_for(store: Store, name: str, seconds: str) -> None:
    """Commits without a pause from 32 coroutines for `seconds`, then prints the number of commits."""
    done = 0
    ends = asyncio.get_running_loop().time() + float(seconds)

    async def one(number: int) -> None:
        nonlocal done
        while asyncio.get_running_loop().time() < ends:
            await store.commit(store.put_meta(f"{name}{number}", str(done)))
            done += 1

    await asyncio.gather(*(one(number) for number in range(32)))
    say(str(done))


async def take_step(store: Store, name: str) -> None:
    """Reads the sign-in, replaces it, and prints whether that succeeded."""
    found = await store.sign_ins.get("sin_one")
    assert found is not None
    say(f"{await store.commit(store.sign_ins.replace(found, replace(found, return_to=name)))}")


async def open_only(store: Store, name: str) -> None:
    """Opens the database, which migrates it, and prints whether it is ready."""
    say(f"{name} {await store.ready()}")


TASKS = {
    "write_for_ever": write_for_ever,
    "spend": spend,
    "rotate": rotate,
    "redeem": redeem,
    "count": count,
    "wait_for": wait_for,
    "take_step": take_step,
    "open_only": open_only,
}


async def main(kind: str, place: str, task: str, *rest: str) -> None:
    """Waits for a line on standard input, so that children begin together, then runs its task."""
    if task == "open_only":
        sys.stdin.readline()
    store = await Opener(kind, place)()
    if task != "open_only":
        say("ready")
        sys.stdin.readline()
    await TASKS[task](store, *rest)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
