"""Rows of token exchanges: round trips, the limit for each sign-in, their end, and exchanges at the moment of an end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from doorward.core.model.revocation import Revocation
from doorward.core.model.token_exchange import Exchange
from doorward.storage.sql.exchanges import MOST_OF_ROOT
from doorward.storage.sql.store import Store, Write
from tests.storage.samples import DAY, NOW, account

pytestmark = pytest.mark.anyio


def exchange(name: str = "one", /, **changes: Any) -> Exchange:
    values: dict[str, Any] = {
        "id": f"exg_{name}",
        "combination": f"of {name}",
        "root": "grt_one",
        "account_id": "usr_ada",
        "subject": "usr_ada",
        "actor": "app_api",
        "client_id": "app_api",
        "created_at": NOW,
        "expires_at": NOW + 3600,
    }
    return Exchange(**values | changes)


async def put(store: Store, one: Exchange, *ends: str, seen: int | None = None) -> bool:
    newest = await store.revocations.newest() if seen is None else seen
    return await store.commit(store.exchanges.insert(one, (one.id, *ends), seen=newest))


def ended(store: Store, ref: str, at: int = NOW + 1) -> Write:
    return store.exchanges.end_with(ref, at, until=at + 900, since=at - 900)


async def entries(store: Store) -> list[str]:
    _, found = await store.revocations.live(NOW)
    return [one.ref for one in found]


async def test_a_row_is_read_as_it_was_written(store: Store) -> None:
    one = exchange()
    two = exchange("two", account_id=None, subject="app_batch", actor=None)
    assert await put(store, one, "grt_one", "usr_ada", "grt_one")
    assert await put(store, two)
    assert (await store.exchanges.get("exg_one"), await store.exchanges.get("exg_two")) == (one, two)
    assert list(await store.exchanges.ends("exg_one")) == ["exg_one", "grt_one", "usr_ada"]
    assert await store.exchanges.living("of one", NOW) == one
    assert await store.exchanges.living("of one", NOW + 3600) is None
    assert await store.exchanges.living("of three", NOW) is None


async def test_all_that_rests_on_what_ends_is_ended_and_entered_once(store: Store) -> None:
    for name, ends in (("one", ("grt_one",)), ("two", ("grt_one", "usr_eve")), ("three", ("usr_eve",))):
        assert await put(store, exchange(name), *ends)
    assert await store.commit(ended(store, "grt_one"))
    assert await entries(store) == ["exg_one", "exg_two"]
    assert await store.exchanges.living("of one", NOW) is None
    assert await store.exchanges.living("of three", NOW) is not None
    assert await store.commit(ended(store, "usr_eve", NOW + 2))
    assert await entries(store) == ["exg_one", "exg_two", "exg_three"]
    newest, live = await store.revocations.live(NOW)
    assert len({one.seq for one in live}) == 3
    assert newest & 0xFFFF >= max(one.seq for one in live)


async def test_what_an_entry_for_the_app_covers_is_not_entered_again(store: Store) -> None:
    assert await put(store, exchange("own"), "app_api")
    assert await put(store, exchange("next", client_id="app_next"), "app_api")
    assert await store.commit(ended(store, "app_api"))
    assert await entries(store) == ["exg_next"]
    assert await store.exchanges.living("of own", NOW) is None


async def test_a_combination_has_one_living_row(store: Store, other: Store) -> None:
    made = await asyncio.gather(
        *(put((store, other)[n % 2], exchange(f"r{n}", combination="same")) for n in range(12))
    )
    assert sum(made) == 1
    living = await store.exchanges.living("same", NOW)
    assert living is not None
    assert await store.commit(ended(store, living.id))
    assert await put(store, exchange("next", combination="same")), "an ended one is replaced"
    late = exchange("late", combination="same", created_at=NOW + 3600, expires_at=NOW + 7200)
    assert await put(store, late), "so is an expired one"


@pytest.mark.requirement(93)
async def test_one_sign_in_has_a_limited_number_of_living_rows(store: Store, other: Store) -> None:
    seen = await store.revocations.newest()
    most = [exchange(f"r{number}") for number in range(MOST_OF_ROOT - 4)]
    first = [store.exchanges.insert(one, (one.id, "grt_one"), seen=seen) for one in most]
    assert await store.commit(*first)
    made = await asyncio.gather(
        *(put((store, other)[n % 2], exchange(f"s{n}"), "grt_one") for n in range(10))
    )
    assert sum(made) == 4
    assert await put(store, exchange("else", root="grt_two"))
    assert await store.commit(ended(store, "grt_one"))
    assert await put(store, exchange("again")), "ended ones give their places back"


async def test_nothing_is_exchanged_under_a_revocation_that_was_not_seen(store: Store) -> None:
    seen = await store.revocations.newest()
    entry = Revocation(kind="grant", ref="grt_one", at=NOW, expires_at=NOW + 900)
    assert await store.commit(store.revocations.insert(entry))
    assert not await put(store, exchange(), "grt_one", seen=seen)
    assert await put(store, exchange(), "grt_two", seen=seen), "another one was revoked"
    stranger = seen + (1 << 40)
    assert not await put(store, exchange("two"), "grt_two", seen=stranger), "of another history"


async def test_an_end_at_the_same_moment_leaves_no_living_row(store: Store, other: Store) -> None:
    """Each end is one commit of another process. Whichever comes first: no row lives on that rests on what has ended."""

    async def exchanging(name: str, seen: int) -> None:
        await put(store, exchange(name, root=name), f"grt_{name}", seen=seen)

    async def ending(name: str) -> None:
        entry = Revocation(kind="grant", ref=f"grt_{name}", at=NOW, expires_at=NOW + 900)
        assert await other.commit(other.revocations.insert(entry), ended(other, f"grt_{name}"))

    for number in range(8):
        name, seen = f"r{number}", await store.revocations.newest()
        both = (exchanging(name, seen), ending(name))
        await asyncio.gather(*(both if number % 2 else reversed(both)))
        assert await store.exchanges.living(f"of {name}", NOW) is None


async def test_rows_go_with_the_account_and_when_no_token_of_theirs_can_live(store: Store) -> None:
    assert await store.commit(store.accounts.insert(account()))
    assert await put(store, exchange(), "grt_one")
    assert await put(store, exchange("two", account_id=None, subject="app_x"), "app_x")
    assert await store.commit(store.delete_account("usr_ada"))
    assert await store.exchanges.get("exg_one") is None
    assert list(await store.exchanges.ends("exg_one")) == []
    await store.sweep(NOW + 3600 + DAY - 1)
    assert await store.exchanges.get("exg_two") is not None
    await store.sweep(NOW + 3600 + DAY)
    assert await store.exchanges.get("exg_two") is None
