"""Rotation of signing keys: on time, once, and every issued token stays verifiable."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec import structs

from doorward.adapters.keys.signing import PURPOSE
from doorward.adapters.random import SystemRandom
from doorward.cli.problems import sentences
from doorward.core.model.config_snapshot import KeyState, StoredSigningKey
from doorward.core.model.policy import TokenPolicy
from doorward.features.admin.error import AdminError
from doorward.features.sessions.revoker import Revoker
from doorward.features.sessions.rules.revocation import MARGIN
from doorward.storage.sqlite.database import open_sqlite
from doorward_verify import jwk, jws
from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import b64url_decode
from tests.features.admin.managing import DAY, OPERATOR, WEB, Desk, admin_services
from tests.manual_clock import NOW, ManualClock

pytestmark = pytest.mark.anyio


async def states(desk: Desk, alg: str = "ES256") -> Counter[str]:
    return Counter(key.state for key in await desk.keys.find(OPERATOR) if key.alg == alg)


def token(desk: Desk) -> str:
    return desk.services.signer.sign({"sub": "usr_1"}, typ="at+jwt")


async def test_the_first_start_creates_a_current_and_a_next_key_and_later_starts_none(desk: Desk) -> None:
    assert await desk.rotation.maintain() == 2
    assert await states(desk) == {"current": 1, "next": 1}
    assert await desk.rotation.maintain() == 0
    assert token(desk)


async def test_processes_that_start_concurrently_create_one_current_and_one_next_key(tmp_path: Path) -> None:
    clock = ManualClock()
    desks = [await admin_services(await open_sqlite(tmp_path / "a.db"), clock) for _ in range(6)]
    await asyncio.gather(*(one.rotation.maintain() for one in desks))
    await asyncio.gather(*(one.rotation.maintain() for one in desks))
    assert await states(desks[0]) == {"current": 1, "next": 1}
    for one in desks:
        await one.container.aclose()
        await one.store.close()


@pytest.mark.requirement(52)
async def test_keys_rotate_by_time_and_every_live_token_verifies_throughout(desk: Desk) -> None:
    await desk.rotation.maintain()
    turned = 0
    living: list[tuple[int, str]] = []
    for _ in range(400):
        desk.clock.time += DAY // 4
        published_before = {key["kid"] for key in desk.services.signer.jwks()["keys"]}
        turned += await desk.rotation.maintain()
        await desk.config.refresh()
        fresh = token(desk)
        # a client that fetched the keys before this moment can already verify what is signed now
        assert jwt.get_unverified_header(fresh)["kid"] in published_before
        living = [(end, old) for end, old in living if end > desk.clock.time]
        living.append((desk.clock.time + 300, fresh))
        for _, old in living:
            jws.verify(old, desk.services.signer.keys(), algorithms=["ES256"], types={"at+jwt"})
    assert turned >= 3
    assert (await states(desk))["current"] == 1
    assert (await states(desk))["retired"] >= 1
    assert len(await desk.audited("key.rotated")) >= 2


async def test_a_manual_rotation_waits_until_the_next_key_is_known(desk: Desk) -> None:
    await desk.rotation.maintain()
    with pytest.raises(AdminError, match="key_too_young") as caught:
        await desk.keys.rotate(OPERATOR)
    assert caught.value.problem.parameters == {"published_at": NOW, "known_at": NOW + DAY}
    assert "--force" in sentences(caught.value.problem)[1]
    before = token(desk)
    forced = await desk.keys.rotate(OPERATOR, force=True)
    assert jwt.get_unverified_header(token(desk))["kid"] == forced.id
    assert jws.verify(before, desk.services.signer.keys(), algorithms=["ES256"], types=None)
    assert await states(desk) == {"previous": 1, "current": 1, "next": 1}
    desk.clock.time += DAY
    await desk.keys.rotate(OPERATOR)
    # the first key has retired meanwhile: its last token expired long ago
    assert await states(desk) == {"retired": 1, "previous": 1, "current": 1, "next": 1}


@pytest.mark.requirement(52)
async def test_a_shorter_lifetime_drops_neither_key_nor_revocation_of_older_tokens(desk: Desk) -> None:
    patient = structs.replace(desk.rotation, tokens=TokenPolicy(access_ttl=3600))
    await patient.maintain()
    old = token(desk)
    # the settings now say 300 s, on this node and, after a restart, on the others
    await desk.keys.rotate(OPERATOR, force=True)
    desk.clock.time += 3599
    await desk.rotation.maintain()
    assert jws.verify(old, desk.services.signer.keys(), algorithms=["ES256"], types=None)
    revoker = Revoker(
        store=desk.store, random=SystemRandom(), config=desk.config, policy=TokenPolicy(access_ttl=300)
    )
    await desk.store.commit(*revoker.client("app_1", now=desk.clock.time, reason="app_deleted"))
    (entry,) = (await desk.store.revocations.live(desk.clock.time))[1]
    assert entry.expires_at >= desk.clock.time + 3600
    desk.clock.time += 1 + MARGIN
    await desk.rotation.maintain()
    with pytest.raises(AuthError):
        jws.verify(old, desk.services.signer.keys(), algorithms=["ES256"], types=None)


async def test_an_algorithm_gets_its_keys_when_an_app_needs_it(desk: Desk) -> None:
    await desk.rotation.maintain()
    with pytest.raises(AdminError, match="key_unused: alg='Ed25519'"):
        await desk.keys.rotate(OPERATOR, "Ed25519")
    await desk.apps.create(OPERATOR, structs.replace(WEB, id_token_signed_alg="Ed25519"), kind="web")
    # created with the app, since it may be used before the next key maintenance
    assert await states(desk, "Ed25519") == {"current": 1}
    assert desk.services.signer.sign({}, typ="JWT", alg="Ed25519")
    await desk.rotation.maintain()
    assert await states(desk, "Ed25519") == {"current": 1, "next": 1}
    await desk.apps.update(OPERATOR, "web", lambda app: structs.replace(app, userinfo_signed_alg="RS256"))
    assert await states(desk, "RS256") == {"current": 1}


async def test_an_algorithm_gets_its_key_when_an_api_needs_it(desk: Desk) -> None:
    await desk.apis.create(OPERATOR, "https://a.example.com", name="a", permissions=[], signing_alg="Ed25519")
    assert await states(desk, "Ed25519") == {"current": 1}
    await desk.apis.update(
        OPERATOR, "a", lambda api: structs.replace(api, signing_alg="RS256", token_type="JWT")
    )
    assert await states(desk, "RS256") == {"current": 1}
    (event,) = await desk.audited("api.changed")
    assert event.detail["changed"] == ["signing_alg", "token_type"]
    with pytest.raises(AdminError, match="unchanged: noun='api'"):
        await desk.apis.update(OPERATOR, "a", lambda api: api)


def of_before(desk: Desk, name: str, state: KeyState) -> StoredSigningKey:
    """An RSA key as the previous version made it."""
    key = jwk.signing_key(rsa.generate_private_key(65537, 3072), alg="RS256", kid=name)
    sealed = desk.services.sealer.seal(PURPOSE, name, msgspec.json.encode(key.private_jwk()))
    public: dict[str, Any] = {**key.public_jwk()}
    return StoredSigningKey(name, "RS256", state, public, sealed, NOW - 2 * DAY, NOW - 2 * DAY)


async def test_rsa_keys_of_another_size_are_replaced_and_every_token_stays_verifiable(desk: Desk) -> None:
    registry = desk.store.registry
    await desk.store.commit(
        registry.insert_key(of_before(desk, "key_old", "current")),
        registry.insert_key(of_before(desk, "key_then", "next")),
    )
    await desk.apps.create(OPERATOR, structs.replace(WEB, id_token_signed_alg="RS256"), kind="web")
    await desk.rotation.maintain()

    def signed() -> int:
        kid = jwt.get_unverified_header(desk.services.signer.sign({}, typ="JWT", alg="RS256"))["kid"]
        (key,) = [key for key in desk.config.current().keys if key.id == kid]
        return int.from_bytes(b64url_decode(key.public_jwk["n"]), "big").bit_length()

    assert await states(desk, "RS256") == {"current": 1, "next": 1, "retired": 1}
    assert signed() == 3072
    (event,) = [one for one in await desk.audited("key.created") if "instead_of" in one.detail]
    assert event.detail["instead_of"] == "key_then"
    published = {key["kid"] for key in desk.services.signer.jwks()["keys"]}
    desk.clock.time += DAY
    await desk.rotation.maintain()
    await desk.config.refresh()
    assert signed() == 2048
    assert (
        jwt.get_unverified_header(desk.services.signer.sign({}, typ="JWT", alg="RS256"))["kid"] in published
    )
    assert await desk.rotation.maintain() == 0


async def test_a_revoked_key_is_removed_at_once_and_replaced_by_the_next(desk: Desk) -> None:
    await desk.rotation.maintain()
    stolen = token(desk)
    kid = jwt.get_unverified_header(stolen)["kid"]
    await desk.keys.revoke(OPERATOR, kid)
    with pytest.raises(AuthError):
        jws.verify(stolen, desk.services.signer.keys(), algorithms=["ES256"], types=None)
    assert jwt.get_unverified_header(token(desk))["kid"] != kid
    assert await states(desk) == {"revoked": 1, "current": 1, "next": 1}
    with pytest.raises(AdminError, match=r"key_ended: .*state='revoked'"):
        await desk.keys.revoke(OPERATOR, kid)
    with pytest.raises(AdminError, match="not_found: noun='signing_key'"):
        await desk.keys.revoke(OPERATOR, "key_x")
    (event,) = await desk.audited("key.revoked")
    assert event.detail["key_id"] == kid
    assert event.at == NOW


async def test_concurrent_rotations_are_one_rotation(tmp_path: Path) -> None:
    clock = ManualClock()
    desks = [await admin_services(await open_sqlite(tmp_path / "a.db"), clock) for _ in range(4)]
    await desks[0].rotation.maintain()
    clock.time += 91 * DAY
    await asyncio.gather(*(one.rotation.maintain() for one in desks))
    assert await states(desks[0]) == {"previous": 1, "current": 1, "next": 1}
    for one in desks:
        await one.container.aclose()
        await one.store.close()
