"""Do signing keys turn in time, once, and without a token that nobody can verify?"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from msgspec import structs

from doorward.actions.ending import Ending
from doorward.actions.manage_refused import ManageRefused
from doorward.model.policy import TokenPolicy
from doorward.outside.chance import SystemChance
from doorward.rules.revoke.ending import MARGIN
from doorward.stores.sql.sqlite import open_sqlite
from doorward_verify import jws
from doorward_verify.refused import Refused
from tests.actions.managing import DAY, NOW, WEB, Desk, TurnedClock, desk, opened

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house() -> AsyncGenerator[Desk]:
    async with opened() as made:
        yield made


async def states(house: Desk, alg: str = "ES256") -> Counter[str]:
    return Counter(key.state for key in await house.keys.listed() if key.alg == alg)


def token(house: Desk) -> str:
    return house.signer.sign({"sub": "usr_1"}, typ="at+jwt")


async def test_the_first_start_makes_a_current_and_a_next_key_and_later_starts_none(house: Desk) -> None:
    assert await house.keys.tend() == 2
    assert await states(house) == {"current": 1, "next": 1}
    assert await house.keys.tend() == 0
    assert token(house)


async def test_processes_that_start_at_once_make_one_current_and_one_next_key(tmp_path: Path) -> None:
    clock = TurnedClock()
    desks = [desk(await open_sqlite(tmp_path / "a.db"), clock) for _ in range(6)]
    await asyncio.gather(*(one.keys.tend() for one in desks))
    await asyncio.gather(*(one.keys.tend() for one in desks))
    assert await states(desks[0]) == {"current": 1, "next": 1}
    for one in desks:
        one.hasher.close()
        await one.store.close()


@pytest.mark.requirement(52)
async def test_keys_turn_by_time_and_every_living_token_verifies_throughout(house: Desk) -> None:
    await house.keys.tend()
    turned = 0
    living: list[tuple[int, str]] = []
    for _ in range(400):
        house.clock.time += DAY // 4
        published_before = {key["kid"] for key in house.signer.jwks()["keys"]}
        turned += await house.keys.tend()
        await house.catalog.refresh()
        fresh = token(house)
        # whoever fetched the keys before this moment can already verify what is signed now
        assert jwt.get_unverified_header(fresh)["kid"] in published_before
        living = [(end, old) for end, old in living if end > house.clock.time]
        living.append((house.clock.time + 300, fresh))
        for _, old in living:
            jws.verify(old, house.signer.keys(), algorithms=["ES256"], types={"at+jwt"})
    assert turned >= 3
    assert (await states(house))["current"] == 1
    assert (await states(house))["retired"] >= 1
    assert len(await house.audited("key.rotated")) >= 2


async def test_a_turn_by_hand_waits_for_the_next_key_to_be_known(house: Desk) -> None:
    await house.keys.tend()
    with pytest.raises(ManageRefused, match="may know the next key yet") as caught:
        await house.keys.rotate()
    assert "--force" in caught.value.fix
    before = token(house)
    forced = await house.keys.rotate(force=True)
    assert jwt.get_unverified_header(token(house))["kid"] == forced.id
    assert jws.verify(before, house.signer.keys(), algorithms=["ES256"], types=None)
    assert await states(house) == {"previous": 1, "current": 1, "next": 1}
    house.clock.time += DAY
    await house.keys.rotate()
    # the very first key has retired meanwhile: its last token expired long ago
    assert await states(house) == {"retired": 1, "previous": 1, "current": 1, "next": 1}


@pytest.mark.requirement(52)
async def test_a_shorter_life_takes_neither_key_nor_revocation_from_older_tokens(house: Desk) -> None:
    patient = replace(house.keys, tokens=TokenPolicy(access_ttl=3600))
    await patient.tend()
    old = token(house)
    # the settings now say 300 s, on this node and after a restart of the others
    await house.keys.rotate(force=True)
    house.clock.time += 3599
    await house.keys.tend()
    assert jws.verify(old, house.signer.keys(), algorithms=["ES256"], types=None)
    ending = Ending(house.store, SystemChance(), house.catalog, TokenPolicy(access_ttl=300))
    await house.store.commit(*ending.client("app_1", now=house.clock.time, reason="deleted"))
    (entry,) = (await house.store.revocations.live(house.clock.time))[1]
    assert entry.expires_at >= house.clock.time + 3600
    house.clock.time += 1 + MARGIN
    await house.keys.tend()
    with pytest.raises(Refused):
        jws.verify(old, house.signer.keys(), algorithms=["ES256"], types=None)


async def test_an_algorithm_gets_its_keys_when_an_app_asks_for_it(house: Desk) -> None:
    await house.keys.tend()
    with pytest.raises(ManageRefused, match="No app uses Ed25519"):
        await house.keys.rotate("Ed25519")
    await house.apps.create(structs.replace(WEB, signing_alg="Ed25519"), kind="web")
    await house.keys.tend()
    assert await states(house, "Ed25519") == {"current": 1, "next": 1}
    assert house.signer.sign({}, typ="JWT", alg="Ed25519")


async def test_a_revoked_key_is_out_at_once_and_followed_by_the_next(house: Desk) -> None:
    await house.keys.tend()
    stolen = token(house)
    kid = jwt.get_unverified_header(stolen)["kid"]
    await house.keys.revoke(kid)
    with pytest.raises(Refused):
        jws.verify(stolen, house.signer.keys(), algorithms=["ES256"], types=None)
    assert jwt.get_unverified_header(token(house))["kid"] != kid
    assert await states(house) == {"revoked": 1, "current": 1, "next": 1}
    with pytest.raises(ManageRefused, match="revoked already"):
        await house.keys.revoke(kid)
    with pytest.raises(ManageRefused, match="no signing key"):
        await house.keys.revoke("key_x")
    (event,) = await house.audited("key.revoked")
    assert event.detail["key_id"] == kid
    assert event.at == NOW


async def test_turns_at_once_are_one_turn(tmp_path: Path) -> None:
    clock = TurnedClock()
    desks = [desk(await open_sqlite(tmp_path / "a.db"), clock) for _ in range(4)]
    await desks[0].keys.tend()
    clock.time += 91 * DAY
    await asyncio.gather(*(one.keys.tend() for one in desks))
    assert await states(desks[0]) == {"previous": 1, "current": 1, "next": 1}
    for one in desks:
        one.hasher.close()
        await one.store.close()
