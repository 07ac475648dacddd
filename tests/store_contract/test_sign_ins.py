"""Does a sign-in come back whole, and is each of its steps taken once?"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from doorward.model.signin import Proof
from doorward.ports.store import Store
from tests.store_contract.samples import NOW, sha, sign_in

pytestmark = pytest.mark.anyio


async def test_a_sign_in_comes_back_as_it_went_in(store: Store) -> None:
    paged = sign_in()
    called = sign_in("json", browser_hash=None, handle_hash=sha("handle"), request=None, return_to="/account")
    assert await store.commit(store.sign_ins.insert(paged), store.sign_ins.insert(called))
    assert await store.sign_ins.get("sin_one") == paged
    assert await store.sign_ins.get("sin_json") == called
    assert await store.sign_ins.by_handle(sha("handle")) == called
    assert await store.sign_ins.by_handle(sha("other")) is None
    assert await store.sign_ins.get("sin_none") is None


async def test_a_step_is_taken_once(store: Store) -> None:
    first = sign_in(handle_hash=sha("one"), browser_hash=None)
    await store.commit(store.sign_ins.insert(first))
    second = replace(
        first,
        handle_hash=sha("two"),
        account_id="usr_ada",
        proofs=(*first.proofs, Proof("totp", NOW + 1, ("otp",))),
    )
    assert await store.commit(store.sign_ins.replace(first, second))
    assert not await store.commit(store.sign_ins.replace(first, replace(first, consented=True)))
    assert await store.sign_ins.get("sin_one") == second
    assert await store.sign_ins.by_handle(sha("one")) is None
    assert await store.sign_ins.by_handle(sha("two")) == second


async def test_the_value_that_was_read_can_be_replaced(store: Store, other: Store) -> None:
    # the prompt is a set: what one process wrote must compare equal in another, whatever the order of its members
    await store.commit(store.sign_ins.insert(sign_in()))
    read = await other.sign_ins.get("sin_one")
    assert read is not None
    assert await other.commit(other.sign_ins.replace(read, replace(read, done_at=NOW)))
