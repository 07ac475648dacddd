"""Does the revocation view miss nothing, whatever has been swept away meanwhile?"""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from doorward.ports.store import Store
from tests.store_contract.samples import NOW, revocation

pytestmark = pytest.mark.anyio


async def test_entries_are_numbered_in_the_order_of_commits(store: Store) -> None:
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


async def test_expired_entries_are_not_told(store: Store) -> None:
    await store.commit(
        store.revocations.insert(revocation("a", expires_at=NOW + 1)),
        store.revocations.insert(revocation("b")),
    )
    newest, entries = await store.revocations.live(NOW + 1)
    assert (newest, [one.ref for one in entries]) == (2, ["b"])
    newest, entries = await store.revocations.since(0, NOW + 1)
    assert (newest, [one.ref for one in entries]) == (2, ["b"])


async def test_a_number_never_returns(store: Store) -> None:
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
async def test_two_stores_at_once_share_one_numbering(store: Store, other: Store) -> None:
    async def end(one: Store, name: str) -> None:
        for n in range(40):
            assert await one.commit(one.revocations.insert(revocation(f"{name}{n}")))

    async def follow() -> list[str]:
        # a reader that asks for everything after the newest it knows must not miss an entry
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
