"""Durable writes of the store, with the event loop and the writing thread on one core.

`python -m bench.store` prints reads, refresh rotations at several numbers of waiting coroutines, and the
rates of two processes on one file.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from bench.pin import choose, pin
from doorward.core.model.account import Account
from doorward.core.model.grant import Grant, RefreshToken, Spent
from doorward.storage.sql.store import Store
from doorward.storage.sqlite.database import open_sqlite

NOW = 1_800_000_000
ACCOUNT = Account(id="usr_bench", email="bench@example.com", created_at=NOW)


async def families(store: Store, name: str, count: int) -> list[str]:
    """Create `count` grants with one refresh token each. Returns their ids."""
    made: list[str] = []
    if await store.accounts.get(ACCOUNT.id) is None:
        # false where the other process was faster
        await store.commit(store.accounts.insert(ACCOUNT))
    for number in range(count):
        grant = Grant(
            id=f"grt_{name}_{number}",
            client_id="app_bench",
            account_id="usr_bench",
            audience="https://api.example",
            scopes=("openid", "offline_access", "orders:read"),
            created_at=NOW,
            expires_at=NOW + 86_400,
            auth_time=NOW,
            acr="urn:doorward:aal1",
            amr=("pwd",),
            session_id="ses_bench",
            offline=True,
        )
        first = hashlib.sha256(grant.id.encode()).digest()
        token = RefreshToken(
            grant_id=grant.id,
            family_hash=first,
            generation=1,
            hash=first,
            created_at=NOW,
            expires_at=NOW + 86_400,
        )
        assert await store.commit(store.grants.insert(grant), store.grants.insert_refresh(token))
        made.append(grant.id)
    return made


async def rotate(store: Store, grant_id: str, until: float) -> int:
    """Rotate one token repeatedly as the token endpoint does when it remembers nothing: load, replace. Returns the number of rotations."""
    done = 0
    while time.perf_counter() < until:
        found = await store.grants.refresh(grant_id)
        assert found is not None
        old, _ = found
        new = msgspec.structs.replace(
            old,
            generation=old.generation + 1,
            hash=hashlib.sha256(old.hash).digest(),
            created_at=NOW + 1,
            recent=(Spent(old.hash, NOW + 1, bytes(59)),),
        )
        assert await store.commit(store.grants.spend_refresh(old, new, ACCOUNT))
        done += 1
    return done


async def rotations(path: Path, name: str, waiting: int, seconds: float) -> float:
    """Rotations a second with `waiting` coroutines."""
    store = await open_sqlite(path)
    try:
        tokens = await families(store, name, waiting)
        began = time.perf_counter()
        done = sum(await asyncio.gather(*(rotate(store, token, began + seconds) for token in tokens)))
        return done / (time.perf_counter() - began)
    finally:
        await store.close()


async def reads(path: Path, seconds: float) -> float:
    """Loads of a token with its grant, a second."""
    store = await open_sqlite(path)
    try:
        (token,) = await families(store, f"reads{os.getpid()}", 1)
        began = time.perf_counter()
        done = 0
        while time.perf_counter() - began < seconds:
            for _ in range(100):
                await store.grants.refresh(token)
            done += 100
        return done / (time.perf_counter() - began)
    finally:
        await store.close()


def two_processes(path: Path, seconds: float) -> list[float]:
    """The rates of two processes on the same file and core, 32 coroutines each."""
    command = [sys.executable, "-m", "bench.store", "--child", str(path), "--seconds", str(seconds)]
    children = [
        subprocess.Popen([*command, "--name", f"child{number}"], stdout=subprocess.PIPE, text=True)
        for number in range(2)
    ]
    return [float(child.communicate()[0]) for child in children]


def main() -> None:
    """Print a table; with --child one number."""
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=4)
    options.add_argument(
        "--folder", default=None, help="where the file is made: a disk of the kind you will use"
    )
    options.add_argument("--child", default=None)
    options.add_argument("--name", default="child")
    options.add_argument("--uvloop", action="store_true")
    chosen = options.parse_args()
    if chosen.uvloop:
        import uvloop

        uvloop.install()
    if chosen.child:
        print(asyncio.run(rotations(Path(chosen.child), chosen.name, 32, chosen.seconds)))
        return
    cores = choose()
    pin(cores.server)
    with tempfile.TemporaryDirectory(dir=chosen.folder, prefix="doorward-bench-") as folder:
        path = Path(folder) / "doorward.db"
        print(f"one core ({cores.server}), synchronous FULL, {path}")
        print(f"{'load of token and grant':34} {asyncio.run(reads(path, 1)):10,.0f} /s")
        for waiting in (1, 8, 64, 256):
            rate = asyncio.run(rotations(path, f"w{waiting}", waiting, chosen.seconds))
            print(f"{f'rotations, {waiting} waiting':34} {rate:10,.0f} /s")
        for number, rate in enumerate(two_processes(path, chosen.seconds), 1):
            print(f"{f'rotations, process {number} of 2 on this core':34} {rate:10,.0f} /s")


if __name__ == "__main__":
    main()
