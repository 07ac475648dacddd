"""Recent posts: claimed by one request, answered once, and removed after their time."""

from __future__ import annotations

import asyncio

import pytest

from doorward.storage.sql.store import Store
from tests.storage.samples import NOW

pytestmark = pytest.mark.anyio


async def test_one_of_many_identical_posts_claims_and_the_others_get_its_answer(
    store: Store, other: Store
) -> None:
    claims = [each.commit(each.posts.claim(7, "p", NOW, NOW + 30)) for each in (store, other) * 8]
    assert sorted(await asyncio.gather(*claims)) == [False] * 15 + [True]
    assert await other.posts.answer(7, "p", NOW) == b""
    assert await store.commit(store.posts.keep(7, "p", b"sealed", NOW + 10))
    assert await other.posts.answer(7, "p", NOW + 9) == b"sealed"
    assert await other.posts.answer(7, "another", NOW) is None
    assert await other.posts.answer(8, "p", NOW) is None
    # it expires at that second; then the same post counts as new
    assert await other.posts.answer(7, "p", NOW + 10) is None
    assert not await other.commit(other.posts.claim(7, "p", NOW + 9, NOW + 39))
    assert await other.commit(other.posts.claim(7, "p", NOW + 10, NOW + 40))
    assert await store.posts.answer(7, "p", NOW + 10) == b""


async def test_another_post_replaces_the_stored_one_and_a_late_answer_is_discarded(store: Store) -> None:
    assert await store.commit(store.posts.claim(7, "p", NOW, NOW + 30))
    assert await store.commit(store.posts.claim(7, "q", NOW, NOW + 30))
    await store.commit(store.posts.keep(7, "p", b"late", NOW + 10))
    await store.commit(store.posts.drop(7, "p"))
    assert await store.posts.answer(7, "p", NOW) is None
    assert await store.posts.answer(7, "q", NOW) == b""


async def test_a_post_without_an_answer_is_dropped_and_an_answer_is_kept(store: Store) -> None:
    assert await store.commit(store.posts.claim(7, "p", NOW, NOW + 30))
    await store.commit(store.posts.drop(7, "p"))
    assert await store.posts.answer(7, "p", NOW) is None
    assert await store.commit(store.posts.claim(7, "p", NOW, NOW + 30))
    await store.commit(store.posts.keep(7, "p", b"first", NOW + 10))
    await store.commit(store.posts.keep(7, "p", b"second", NOW + 10))
    await store.commit(store.posts.drop(7, "p"))
    assert await store.posts.answer(7, "p", NOW) == b"first"
    await store.commit(store.posts.forget(7))
    assert await store.posts.answer(7, "p", NOW) is None


async def test_expired_rows_are_swept(store: Store) -> None:
    for place in range(20):
        assert await store.commit(store.posts.claim(place, "p", NOW, NOW + 30))
    assert await store.sweep(NOW + 29) == 0
    assert await store.sweep(NOW + 30) == 20
