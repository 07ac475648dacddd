"""Changes of a person on PostgreSQL that waited for a sign-in: the session which that sign-in left is seen (R94)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from doorward.core.model.signin import Proof
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store, Write
from tests.storage.samples import NOW, account, session
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(94)]
LATE = session("late", auth_time=NOW, proofs=(Proof("password", NOW, ("pwd",)),))
CHANGED = account().with_password("$argon2id$2", NOW)


@pytest.fixture
async def store(postgres_url: str) -> AsyncGenerator[Store]:
    opened = await open_store(postgres_url)
    await opened.commit(opened.accounts.insert(account()))
    yield opened
    await opened.close()


@pytest.fixture
async def other(postgres_url: str) -> AsyncGenerator[Any]:
    """The connection of a sign-in that has locked the account's row."""
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("BEGIN")
    await connection.execute("UPDATE accounts SET id = id WHERE id = 'usr_ada'")
    yield connection
    await connection.close()


async def beside(store: Store, other: Any, *writes: Write) -> bool:
    """What becomes of a commit that waits for the account's row, while the sign-in makes its session."""
    waiting = asyncio.create_task(store.commit(*writes))
    async with asyncio.timeout(PATIENCE):
        while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
    await other.execute(
        "INSERT INTO sessions (id, secret_hash, account_id, created_at, seen_at, auth_time, expires_at, acr, amr,"
        " user_agent, address, proofs) VALUES ($1, $2, $3, $4, $4, $4, $5, $6, 'pwd', '', '', $7)",
        LATE.id,
        LATE.secret_hash,
        LATE.account_id,
        NOW,
        LATE.expires_at,
        LATE.acr,
        f'[{{"kind":"password","at":{NOW},"amr":["pwd"]}}]',
    )
    await other.execute("COMMIT")
    return await waiting


async def test_a_session_is_dated_back(store: Store, other: Any) -> None:
    replaced = store.accounts.replace(CHANGED, old=account())
    assert await beside(store, other, replaced, store.sessions.prove_before("usr_ada", NOW))
    found = await store.sessions.get(LATE.id)
    assert found is not None
    assert (found.auth_time, found.proofs) == (NOW - 1, (replace(LATE.proofs[0], at=NOW - 1),))


async def test_a_change_that_does_not_know_the_session_fails(store: Store, other: Any) -> None:
    """docs/incidents/0124-a-session-that-a-removed-passkey-left.md"""
    held = store.accounts.replace(account(), old=account())
    assert not await beside(store, other, held, store.sessions.only_these("usr_ada", [], NOW))
    assert await store.commit(held, store.sessions.only_these("usr_ada", [LATE], NOW))
