"""Tests that signing keys rotate once and one root secret is created, with many nodes at the same moment."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec import structs

from doorward.app.root import root_secret
from doorward.core.model.config_snapshot import StoredSigningKey
from doorward.core.model.secret import Secret
from doorward.core.ports.key_wrapper import KeyProblem
from doorward.features.admin.error import AdminError
from doorward.settings import load
from doorward.storage.sql.open import open_store
from tests.engines import BOTH
from tests.features.admin.managing import DAY, OPERATOR, WEB, Desk, admin_services
from tests.manual_clock import ManualClock

pytestmark = pytest.mark.anyio
ENGINES = BOTH
NODES = 3
ROUNDS = 20


@pytest.fixture
def place(own_database: str | None, tmp_path: Path) -> str:
    """A database for a single test."""
    return own_database or str(tmp_path / "doorward.db")


@asynccontextmanager
async def nodes(place: str, count: int = NODES) -> AsyncGenerator[list[Desk]]:
    """Nodes with their own connections, under one clock."""
    clock = ManualClock()
    desks = [await admin_services(await open_store(place), clock) for _ in range(count)]
    try:
        yield desks
    finally:
        for one in desks:
            await one.container.aclose()
            await one.store.close()


async def states(one: Desk, alg: str = "ES256") -> Counter[str]:
    return Counter(key.state for key in await one.keys.find(OPERATOR) if key.alg == alg)


async def turns(one: Desk) -> int:
    """How often a next key became the current one."""
    return sum("before" in line.detail for line in await one.audited("key.rotated"))


async def test_an_empty_database_gets_one_current_and_one_next_key(place: str) -> None:
    async with nodes(place, 6) as desks:
        await asyncio.gather(*(one.rotation.maintain() for one in desks))
        assert await states(desks[0]) == {"current": 1, "next": 1}
        assert len(await desks[0].audited("key.created")) == 2


@pytest.mark.requirement(52)
async def test_scheduled_key_rotation_happens_once_across_all_nodes(place: str) -> None:
    async with nodes(place) as desks:
        await desks[0].rotation.maintain()
        for turn in range(1, ROUNDS + 1):
            desks[0].clock.time += 91 * DAY
            await asyncio.gather(*(one.rotation.maintain() for one in desks))
            held = await states(desks[0])
            assert (held["current"], held["next"]) == (1, 1), held
            assert await turns(desks[0]) == turn


async def test_of_several_operators_one_rotates_and_the_others_are_informed(place: str) -> None:
    async with nodes(place) as desks:
        await desks[0].rotation.maintain()
        for turn in range(1, ROUNDS + 1):
            desks[0].clock.time += DAY
            ended = await asyncio.gather(
                *(one.keys.rotate(OPERATOR) for one in desks), return_exceptions=True
            )
            won = [one for one in ended if isinstance(one, StoredSigningKey)]
            told = [one for one in ended if isinstance(one, AdminError)]
            assert (len(won), len(told)) == (1, NODES - 1), ended
            (current,) = [key for key in await desks[1].keys.find(OPERATOR) if key.state == "current"]
            assert current.id == won[0].id
            assert await turns(desks[0]) == turn


async def test_a_manual_and_a_scheduled_rotation_at_once_are_one_rotation(place: str) -> None:
    async with nodes(place) as desks:
        await desks[0].rotation.maintain()
        for turn in range(1, ROUNDS + 1):
            desks[0].clock.time += 91 * DAY
            await asyncio.gather(
                desks[0].rotation.maintain(),
                desks[1].keys.rotate(OPERATOR),
                desks[2].rotation.maintain(),
                return_exceptions=True,
            )
            held = await states(desks[0])
            assert (held["current"], held["next"]) == (1, 1), held
            assert await turns(desks[0]) == turn


async def test_a_key_revoked_by_two_operators_is_revoked_and_replaced_once(place: str) -> None:
    async with nodes(place) as desks:
        await desks[0].rotation.maintain()
        for number in range(1, ROUNDS + 1):
            desks[0].clock.time += DAY
            (bad,) = [key for key in await desks[0].keys.find(OPERATOR) if key.state == "current"]
            ended = await asyncio.gather(
                *(one.keys.revoke(OPERATOR, bad.id) for one in desks), return_exceptions=True
            )
            assert sum(isinstance(one, StoredSigningKey) for one in ended) == 1, ended
            assert all(isinstance(one, StoredSigningKey | AdminError) for one in ended), ended
            held = await states(desks[0])
            assert (held["current"], held["next"], held["revoked"]) == (1, 1, number), held


async def test_a_newly_configured_algorithm_gets_its_keys_once(place: str) -> None:
    async with nodes(place) as desks:
        await desks[0].rotation.maintain()
        await desks[0].apps.create(OPERATOR, structs.replace(WEB, id_token_signed_alg="RS256"), kind="web")
        await asyncio.gather(*(one.rotation.maintain() for one in desks))
        assert await states(desks[0], "RS256") == {"current": 1, "next": 1}


async def test_nodes_with_one_key_that_start_at_once_share_one_root(place: str, tmp_path: Path) -> None:
    environ = {"DOORWARD_ISSUER": "https://auth.example.com", "DOORWARD_DATABASE": place}
    key = {"DOORWARD_KEYS__SECRET_KEY": b64encode(b"k" * 32).decode()}
    settings = load(None, environ | key)
    stores = [await open_store(place) for _ in range(6)]
    roots = await asyncio.gather(*(root_secret(settings, store) for store in stores))
    assert len({root.secret for root in roots}) == 1
    assert roots[0].secret != b"k" * 32
    found = await stores[0].wrapped_keys.root()
    assert found is not None
    assert len(found[1]) == 1
    for store in stores:
        await store.close()


async def test_of_nodes_that_start_with_different_keys_only_one_starts(place: str, tmp_path: Path) -> None:
    base = load(None, {"DOORWARD_ISSUER": "https://auth.example.com", "DOORWARD_DATABASE": place})
    stores = [await open_store(place) for _ in range(4)]

    async def begin(number: int) -> bytes:
        text = Secret(b64encode(bytes([number]) * 32).decode())
        keys = structs.replace(base.keys, secret_key=text)
        return (await root_secret(structs.replace(base, keys=keys), stores[number])).secret

    ended = await asyncio.gather(*(begin(number) for number in range(4)), return_exceptions=True)
    assert sum(isinstance(one, bytes) for one in ended) == 1, ended
    for one in ended:
        if not isinstance(one, bytes):
            assert isinstance(one, KeyProblem)
            assert "wrapped under another key: it needs key:" in one.error
    for store in stores:
        await store.close()
