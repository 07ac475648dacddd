"""API keys: round trips, the limit for each owner, and the guards of their writes."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from doorward.storage.sql.store import Store
from tests.storage.samples import DAY, NOW, account, sha
from tests.storage.samples_keys import api_key

pytestmark = pytest.mark.anyio
MOST = 3


@pytest.fixture
async def ada(store: Store) -> Store:
    """The store, with two people."""
    assert await store.commit(store.accounts.insert(account()), store.accounts.insert(account("bob")))
    return store


async def test_a_key_is_read_as_it_was_written(ada: Store) -> None:
    one, two = api_key(), api_key("two", account_id=None, client_id="cli_x", networks=(), previous_hash=None)
    for key in (one, two):
        assert await ada.commit(ada.api_keys.insert(key, most=MOST, now=NOW))
    found = await ada.api_keys.get(one.id)
    assert found is not None
    assert (found[0], found[1] and found[1].id) == (one, "usr_ada")
    assert await ada.api_keys.get(two.id) == (two, None)
    assert await ada.api_keys.get("key_none") is None
    assert list(await ada.api_keys.of_account("usr_ada")) == [one]
    assert list(await ada.api_keys.of_client("cli_x")) == [two]
    assert [key.id for key in await ada.api_keys.page(after="key_one")] == ["key_two"]


@pytest.mark.requirement(93)
async def test_of_many_keys_at_once_one_person_gets_exactly_the_limit(ada: Store) -> None:
    async def make(name: str) -> bool:
        return await ada.commit(ada.api_keys.insert(api_key(name), most=MOST, now=NOW))

    made = await asyncio.gather(*(make(f"k{number}") for number in range(12)))
    assert sum(made) == MOST == len(await ada.api_keys.of_account("usr_ada"))
    ended = (await ada.api_keys.of_account("usr_ada"))[0]
    assert await ada.commit(ada.api_keys.end(ended, NOW, "revoked"))
    assert await make("next"), "an ended key gives its place back"
    late = api_key("late", created_at=NOW + 91 * DAY, expires_at=NOW + 99 * DAY)
    assert await ada.commit(ada.api_keys.insert(late, most=1, now=NOW + 91 * DAY)), "so does an expired one"


async def test_nobody_who_is_disabled_or_gone_gets_a_key(ada: Store) -> None:
    found = await ada.accounts.get("usr_bob")
    assert found is not None
    assert await ada.commit(ada.accounts.replace(replace(found, disabled_at=NOW)))
    for owner in ("usr_bob", "usr_nobody"):
        assert not await ada.commit(ada.api_keys.insert(api_key(account_id=owner), most=MOST, now=NOW))
    assert await ada.api_keys.page() == []


async def test_a_key_is_rotated_once_from_what_was_read(ada: Store) -> None:
    key = api_key()
    assert await ada.commit(ada.api_keys.insert(key, most=MOST, now=NOW))
    new = replace(
        key,
        secret_hash=sha("new"),
        previous_hash=key.secret_hash,
        previous_until=NOW + 60,
        rotated_at=NOW + 5,
        warned=None,
    )
    done = await asyncio.gather(*(ada.commit(ada.api_keys.rotate(key, new, now=NOW + 5)) for _ in range(6)))
    assert sum(done) == 1
    found = await ada.api_keys.get(key.id)
    assert found is not None
    assert found[0] == new
    assert not await ada.commit(ada.api_keys.rotate(new, replace(new, rotated_at=1), now=key.expires_at))


async def test_a_key_ends_once_and_not_after_its_tokens_got_another_prefix(ada: Store) -> None:
    key = api_key()
    assert await ada.commit(ada.api_keys.insert(key, most=MOST, now=NOW))
    assert await ada.commit(ada.api_keys.cut_of_account("usr_ada", NOW, NOW + 600))
    assert not await ada.commit(ada.api_keys.end(key, NOW, "revoked")), "its tokens have another prefix"
    found = await ada.api_keys.get(key.id)
    assert found is not None
    assert await ada.commit(ada.api_keys.end(found[0], NOW, "revoked"))
    assert not await ada.commit(ada.api_keys.end(found[0], NOW, "revoked"))
    ended = await ada.api_keys.get(key.id)
    assert ended is not None
    assert (ended[0].ended_at, ended[0].end_reason) == (NOW, "revoked")


async def test_the_tokens_of_keys_that_stay_end_and_every_next_prefix_is_new(ada: Store) -> None:
    one, two, old = api_key(), api_key("two"), api_key("old", expires_at=NOW)
    bobs = api_key("bobs", account_id="usr_bob", audience="https://other.example")
    for key in (one, two, old, bobs):
        assert await ada.commit(ada.api_keys.insert(key, most=9, now=NOW - 1))
    prefixes = [key.token_prefix for key in (one, two)]
    for round_ in range(3):
        if round_ % 2:
            assert await ada.commit(ada.api_keys.cut_at_api(one.audience, NOW, NOW + 600))
        else:
            assert await ada.commit(ada.api_keys.cut_of_account("usr_ada", NOW, NOW + 600))
        _, entries = await ada.revocations.live(NOW)
        assert [(entry.kind, entry.ref) for entry in entries] == [("grant", prefix) for prefix in prefixes]
        now_in_use = [(await ada.api_keys.get(key.id) or (key, None))[0].token_prefix for key in (one, two)]
        assert not set(now_in_use) & set(prefixes)
        prefixes += now_in_use
    assert ((await ada.api_keys.get("key_bobs")) or (None, None))[0] == bobs
    assert ((await ada.api_keys.get("key_old")) or (None, None))[0] == old


async def test_all_keys_of_an_owner_end_and_their_tokens_enter_the_view(ada: Store) -> None:
    for name, owner in (("one", "usr_ada"), ("two", "usr_ada"), ("bobs", "usr_bob")):
        assert await ada.commit(ada.api_keys.insert(api_key(name, account_id=owner), most=MOST, now=NOW))
    apps = api_key("apps", account_id=None, client_id="cli_x")
    assert await ada.commit(ada.api_keys.insert(apps, most=MOST, now=NOW))
    assert await ada.api_keys.any_of_account("usr_ada", NOW)
    assert await ada.commit(ada.api_keys.end_of_account("usr_ada", NOW + 1, "account_disabled", NOW + 600))
    assert not await ada.api_keys.any_of_account("usr_ada", NOW)
    assert await ada.commit(ada.api_keys.end_of_client("cli_x", NOW + 2, "app_deleted", NOW + 600))
    _, entries = await ada.revocations.live(NOW)
    assert [(one.kind, one.ref, one.expires_at) for one in entries] == [
        ("grant", name, NOW + 600) for name in ("key_one", "key_two", "key_apps")
    ]
    bobs = await ada.api_keys.get("key_bobs")
    assert bobs is not None
    assert bobs[0].live(NOW)


async def test_a_hot_key_is_written_once_a_minute(ada: Store) -> None:
    """better-auth, zitadel: a key that is used a thousand times a second must not write as often."""
    key = api_key(used_at=None)
    assert await ada.commit(ada.api_keys.insert(key, most=MOST, now=NOW))
    for at in (NOW, NOW + 30, NOW + 59, NOW + 60, NOW + 61):
        await ada.commit(ada.api_keys.used(key.id, at, earlier=at - 60))
    found = await ada.api_keys.get(key.id)
    assert found is not None
    assert found[0].used_at == NOW + 60


async def test_one_process_warns_of_an_expiry(ada: Store) -> None:
    key = api_key(warned=None)
    assert await ada.commit(ada.api_keys.insert(key, most=MOST, now=NOW))
    near = key.expires_at - 14 * DAY
    found = await ada.api_keys.expiring_within(near, key.expires_at, warned_above=14, limit=9)
    assert [(one.id, owner.id) for one, owner in found] == [(key.id, "usr_ada")]
    done = await asyncio.gather(*(ada.commit(ada.api_keys.warn(key, 14)) for _ in range(5)))
    assert sum(done) == 1
    assert not await ada.api_keys.expiring_within(near, key.expires_at, warned_above=14, limit=9)
    assert await ada.api_keys.expiring_within(near, key.expires_at, warned_above=7, limit=9)
    assert not await ada.commit(ada.api_keys.warn(replace(key, expires_at=1), 7)), "rotated in between"


async def test_a_key_ends_with_its_owners_row_and_is_swept_a_month_after_its_end(ada: Store) -> None:
    ended, expired, bobs = api_key("e"), api_key("x", expires_at=NOW + 5), api_key("b", account_id="usr_bob")
    for key in (ended, expired, bobs):
        assert await ada.commit(ada.api_keys.insert(key, most=MOST, now=NOW))
    assert await ada.commit(ada.api_keys.end(ended, NOW, "revoked"))
    assert await ada.sweep(NOW + 29 * DAY) == 0
    assert await ada.sweep(NOW + 31 * DAY) == 2
    assert await ada.commit(ada.delete_account("usr_bob"))
    assert await ada.api_keys.page() == []
