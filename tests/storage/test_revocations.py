"""Revocation view: complete for every reader, also after sweeps."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from doorward.storage.sql.store import Store, Write
from tests.storage.samples import NOW, revocation

pytestmark = pytest.mark.anyio


async def test_entries_are_numbered_in_commit_order(store: Store) -> None:
    assert await store.revocations.newest() == 0
    assert await store.revocations.live(NOW) == (0, [])
    entries = [revocation(), revocation("usr_ada", kind="sub", before=NOW), revocation("ses_one", kind="sid")]
    await store.commit(store.revocations.insert(entries[0]))
    await store.commit(*(store.revocations.insert(one) for one in entries[1:]))
    numbered = [replace(one, seq=n) for n, one in enumerate(entries, 1)]
    assert await store.revocations.live(NOW) == (3, numbered)
    assert await store.revocations.since(1, NOW) == (3, numbered[1:])
    assert await store.revocations.since(3, NOW) == (3, [])
    assert await store.revocations.newest() == 3


async def test_expired_entries_are_not_returned(store: Store) -> None:
    await store.commit(
        store.revocations.insert(revocation("a", expires_at=NOW + 1)),
        store.revocations.insert(revocation("b")),
    )
    newest, entries = await store.revocations.live(NOW + 1)
    assert (newest, [one.ref for one in entries]) == (2, ["b"])
    newest, entries = await store.revocations.since(0, NOW + 1)
    assert (newest, [one.ref for one in entries]) == (2, ["b"])


async def test_a_number_is_never_reused(store: Store) -> None:
    await store.commit(*(store.revocations.insert(revocation(f"{n}", expires_at=NOW)) for n in range(3)))
    assert await store.sweep(NOW + 1) == 3
    assert await store.revocations.live(NOW) == (3, [])
    await store.commit(store.revocations.insert(revocation("next")))
    newest, entries = await store.revocations.since(3, NOW)
    assert (newest, [(one.seq, one.ref) for one in entries]) == (4, [(4, "next")])


async def test_a_lost_commit_leaves_no_gap(store: Store) -> None:
    lost = (store.revocations.insert(revocation()), store.grants.redeem_code(b"none", NOW))
    assert not await store.commit(*lost)
    assert await store.commit(store.revocations.insert(revocation()))
    assert await store.revocations.newest() == 1


@pytest.mark.requirement(58)
async def test_two_concurrent_stores_share_one_numbering(store: Store, other: Store) -> None:
    async def end(one: Store, name: str) -> None:
        for n in range(40):
            assert await one.commit(one.revocations.insert(revocation(f"{name}{n}")))

    async def follow() -> list[str]:
        # a reader that queries everything after its newest entry must not miss one
        seen: list[str] = []
        known = 0
        while len(seen) < 80:
            known, entries = await other.revocations.since(known, NOW)
            seen += [entry.ref for entry in entries]
            await asyncio.sleep(0)
        return seen

    _, _, seen = await asyncio.gather(end(store, "a"), end(other, "b"), follow())
    assert sorted(seen) == sorted(f"{name}{n}" for name in "ab" for n in range(40))
    _, entries = await store.revocations.live(NOW)
    assert [one.seq for one in entries] == list(range(1, 81))


def few(store: Store, name: str, *, holder: str = "grt_one", most: int = 5, now: int = NOW) -> Write:
    """An entry for one token of a holder that may have five."""
    entry = revocation(name, kind="jti", at=now, expires_at=now + 360)
    return store.revocations.insert_few(entry, holder=holder, most=most, now=now)


@pytest.mark.requirement(93)
async def test_the_entries_of_a_holder_are_limited_until_they_expire(store: Store) -> None:
    assert [await store.commit(few(store, f"t{n}")) for n in range(7)] == [True] * 5 + [False] * 2
    assert await store.commit(few(store, "other", holder="grt_two"))
    newest, entries = await store.revocations.live(NOW)
    assert [one.ref for one in entries] == ["t0", "t1", "t2", "t3", "t4", "other"]
    assert newest == 6, "a lost write leaves no gap"
    assert not await store.commit(few(store, "t8", now=NOW + 359))
    assert await store.commit(few(store, "t9", now=NOW + 360))


@pytest.mark.requirement(93)
async def test_concurrent_entries_are_kept_up_to_exactly_the_limit(store: Store, other: Store) -> None:
    won = await asyncio.gather(
        *(
            each.commit(few(each, f"{name}{n}"))
            for n in range(20)
            for name, each in (("a", store), ("b", other))
        )
    )
    assert won.count(True) == 5
    newest, entries = await store.revocations.live(NOW)
    assert (newest, len(entries)) == (5, 5)


def later(store: Store, before: int, *, name: str = "app_one") -> Write:
    """An entry for all tokens of an app."""
    entry = revocation(name, kind="client", at=NOW, expires_at=before + 360, before=before)
    return store.revocations.insert_later(entry, now=NOW)


@pytest.mark.requirement(93)
async def test_a_later_bound_replaces_only_an_earlier_one(store: Store) -> None:
    deleted = revocation("app_one", kind="client", before=NOW - 5)
    assert await store.commit(store.revocations.insert(deleted), few(store, "t1", holder="app_one"))
    for before, won in ((NOW, True), (NOW, False), (NOW - 1, False), (NOW + 1, True)):
        assert await store.commit(later(store, before)) is won
    assert await store.commit(later(store, NOW, name="app_two"))
    _, entries = await store.revocations.live(NOW)
    assert [(one.ref, one.before) for one in entries] == [
        ("app_one", NOW - 5),
        ("t1", None),
        ("app_one", NOW + 1),
        ("app_two", NOW),
    ]


@pytest.mark.requirement(93)
async def test_one_of_many_identical_concurrent_writes_wins(store: Store, other: Store) -> None:
    won = await asyncio.gather(*(each.commit(later(each, NOW)) for _ in range(20) for each in (store, other)))
    assert won.count(True) == 1
    assert await store.revocations.newest() == 1


async def test_entries_are_read_in_pages(store: Store) -> None:
    await store.commit(*(store.revocations.insert(revocation(f"{n}")) for n in range(5)))
    newest, entries = await store.revocations.since(1, NOW, 2)
    assert (newest, [one.seq for one in entries]) == (5, [2, 3])
