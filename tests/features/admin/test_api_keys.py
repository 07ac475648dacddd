"""Administration of API keys: those of apps are made and renewed, those of people only listed and ended."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import structs

from doorward.core.model.config_snapshot import Permission
from doorward.features.admin import build
from doorward.features.admin.api_keys import ApiKeyAdmin
from doorward.features.admin.error import AdminError
from doorward.features.admin.operation import Overtaken
from doorward.features.api_keys.build import own_keys
from doorward.features.api_keys.making import NewApiKey
from doorward.features.api_keys.rules.draft import Draft
from tests.features.admin.managing import DAY, OPERATOR, WEB, Desk
from tests.people import CALLER

pytestmark = pytest.mark.anyio
API = "https://api.example.com"
BOTH = ("orders:read", "orders:write")


@pytest.fixture
async def keys(desk: Desk) -> ApiKeyAdmin:
    await desk.apis.create(OPERATOR, API, name="orders", permissions=[Permission(name) for name in BOTH])
    await desk.apps.create(OPERATOR, WEB, kind="web", access=["orders:orders:read"])
    await desk.roles.create(OPERATOR, "clerk", permissions=["orders"])
    await desk.people.create(OPERATOR, "ada@example.com", roles=["clerk"])
    return desk.services.get(build.api_keys)


async def of_ada(desk: Desk, *scopes: str) -> NewApiKey:
    ada = await desk.people.get(OPERATOR, "ada@example.com")
    draft = Draft(name="hers", audience=API, scopes=scopes or BOTH, life=DAY)
    made = await desk.services.get(own_keys).create(ada, draft, caller=CALLER, now=desk.clock.now())
    assert isinstance(made, NewApiKey)
    return made


async def prefix_of(desk: Desk, key_id: str) -> str:
    found = await desk.store.api_keys.get(key_id)
    assert found is not None
    return found[0].token_prefix


async def test_a_key_of_an_app_is_made_within_what_the_app_may_do(desk: Desk, keys: ApiKeyAdmin) -> None:
    made = await keys.create(OPERATOR, "web", name="cron", api="orders", networks=["192.0.2.0/24"])
    client = await desk.apps.get(OPERATOR, "web")
    assert (made.key.client_id, made.key.account_id) == (client.id, None)
    assert made.key.scopes == ("orders:read",)
    assert made.key.networks == ("192.0.2.0/24",)
    (event,) = await desk.audited("api_key.created")
    assert event.detail["actor"] == "os_user:grace"
    assert made.text.reveal() not in str(event)
    for code, changes in (
        ("api_key_beyond_app", {"permissions": ["orders:write"]}),
        ("name_invalid", {"name": " "}),
        ("out_of_range", {"life": 400 * DAY}),
        ("api_key_network", {"networks": ["10.0.0.1/8"]}),
        ("not_found", {"api": "stock"}),
    ):
        with pytest.raises(AdminError) as refused:
            await keys.create(OPERATOR, "web", **{"name": "cron", "api": "orders", **changes})
        assert refused.value.problem.code == code


@pytest.mark.requirement(93)
async def test_an_app_has_at_most_as_many_keys_as_the_settings_say(desk: Desk, keys: ApiKeyAdmin) -> None:
    few = structs.replace(keys.policy, most=2)
    small = ApiKeyAdmin(
        store=desk.store,
        random=desk.services.random,
        clock=desk.services.clock,
        config=desk.config,
        maker=keys.maker,
        policy=few,
        revoker=keys.revoker,
    )

    async def make() -> bool:
        try:
            await small.create(OPERATOR, "web", name="cron", api="orders")
        except (AdminError, Overtaken):
            return False
        return True

    assert sum(await asyncio.gather(*(make() for _ in range(6)))) == 2
    with pytest.raises(AdminError) as refused:
        await small.create(OPERATOR, "web", name="cron", api="orders")
    assert refused.value.problem.code == "api_keys_too_many"


async def test_a_persons_key_is_ended_by_an_operator_and_never_shown_to_one(
    desk: Desk, keys: ApiKeyAdmin
) -> None:
    hers = await of_ada(desk)
    assert [key.id for key in await keys.find(OPERATOR, who="ada@example.com")] == [hers.key.id]
    with pytest.raises(AdminError) as refused:
        await keys.rotate(OPERATOR, hers.key.id)
    assert refused.value.problem.code == "api_key_of_person"
    await keys.revoke(OPERATOR, hers.key.id.removeprefix("key_"))
    _, entries = await desk.store.revocations.live(desk.clock.now())
    assert ("grant", hers.key.id) in [(one.kind, one.ref) for one in entries]
    for again in (keys.revoke(OPERATOR, hers.key.id), keys.revoke(OPERATOR, "key_none")):
        with pytest.raises(AdminError):
            await again


async def test_an_apps_key_is_renewed(desk: Desk, keys: ApiKeyAdmin) -> None:
    made = await keys.create(OPERATOR, "web", name="cron", api="orders")
    kept = await keys.rotate(OPERATOR, made.key.id, keep_old=3600)
    assert kept.key.previous_hash == made.key.secret_hash
    assert kept.key.token_prefix == made.key.token_prefix
    now = await keys.rotate(OPERATOR, made.key.id)
    assert now.key.previous_hash is None
    _, entries = await desk.store.revocations.live(desk.clock.now())
    assert [one.ref for one in entries] == [made.key.token_prefix]
    with pytest.raises(AdminError) as refused:
        await keys.rotate(OPERATOR, made.key.id, keep_old=8 * DAY)
    assert refused.value.problem.code == "out_of_range"
    await keys.revoke(OPERATOR, made.key.id)
    with pytest.raises(AdminError) as refused:
        await keys.rotate(OPERATOR, made.key.id)
    assert refused.value.problem.code == "api_key_ended"


async def test_what_takes_a_right_away_ends_the_tokens_of_keys(desk: Desk, keys: ApiKeyAdmin) -> None:
    """The tokens of apps keep a removed role until they expire; a key is a thing of months, and its owner may be gone from the team."""
    hers, apps = await of_ada(desk), await keys.create(OPERATOR, "web", name="cron", api="orders")
    await desk.people.grant_role(
        OPERATOR, "ada@example.com", (await desk.roles.create(OPERATOR, "x", permissions=[])).name
    )
    await desk.roles.create(OPERATOR, "more", permissions=["orders"])
    assert await prefix_of(desk, hers.key.id) == hers.key.id, "more rights end nothing"
    await desk.people.revoke_role(OPERATOR, "ada@example.com", "clerk")
    first = await prefix_of(desk, hers.key.id)
    assert first != hers.key.id
    assert await prefix_of(desk, apps.key.id) == apps.key.id
    await desk.roles.update(OPERATOR, "clerk", disallow=["orders"])
    second = await prefix_of(desk, hers.key.id)
    assert second != first
    await desk.apps.update(OPERATOR, "web", lambda app: structs.replace(app, access={}))
    third = await prefix_of(desk, apps.key.id)
    assert third != apps.key.id
    await desk.apis.update(OPERATOR, "orders", lambda api: structs.replace(api, permissions=()))
    assert await prefix_of(desk, apps.key.id) != third
    _, entries = await desk.store.revocations.live(desk.clock.now())
    assert {hers.key.id, first, second, third} <= {one.ref for one in entries if one.kind == "grant"}


async def test_a_disabled_person_has_no_live_key_left(desk: Desk, keys: ApiKeyAdmin) -> None:
    hers = await of_ada(desk)
    await desk.people.disable(OPERATOR, "ada@example.com")
    _, entries = await desk.store.revocations.live(desk.clock.now())
    assert {("grant", hers.key.token_prefix), ("sub", hers.key.account_id)} <= {
        (one.kind, one.ref) for one in entries
    }
    await desk.people.enable(OPERATOR, "ada@example.com")
    (key,) = await keys.find(OPERATOR, who="ada@example.com")
    assert (key.id, key.end_reason) == (hers.key.id, "account_disabled")
