"""Sign-ins in progress: round trip of the document, and each step taken once."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from msgspec.structs import replace

from doorward.core.model.signin import Proof, SignIn
from doorward.storage.sql.statements import to_json
from doorward.storage.sql.store import Store
from tests.repository.test_pinned_results import DOCUMENTS
from tests.storage.children import go, said, start
from tests.storage.samples import NOW, sha, sign_in
from tests.storage.stores import Opener

pytestmark = pytest.mark.anyio


async def test_a_sign_in_is_read_as_it_was_written(store: Store) -> None:
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


async def test_a_proof_of_an_unknown_kind_is_read_and_compared_like_any_other(store: Store) -> None:
    first = sign_in(proofs=(Proof("passkey", NOW, ("hwk",), phishing_resistant=True, against=5),))
    await store.commit(store.sign_ins.insert(first))
    assert await store.sign_ins.get("sin_one") == first
    assert await store.commit(store.sign_ins.replace(first, replace(first, proofs=())))


async def test_a_process_can_replace_the_sign_in_of_another(store: Store, opener: Opener) -> None:
    # the prompt is a set: it must compare equal in another process with another iteration order
    prompt = frozenset({"login", "consent", "select_account", "none"})
    first = sign_in()
    assert first.request is not None
    await store.commit(store.sign_ins.insert(replace(first, request=replace(first.request, prompt=prompt))))
    children = [start(opener, "take_step", f"p{seed}", seed=str(seed)) for seed in range(6)]
    for child in children:
        await asyncio.to_thread(go, child)
        assert await asyncio.to_thread(said, child) == [["True"]]
    found = await store.sign_ins.get("sin_one")
    assert found is not None
    assert found.return_to == "p5"


@pytest.mark.requirement(94)
async def test_the_running_sign_ins_of_an_account_end_together(store: Store) -> None:
    ada, hers = sign_in("ada", account_id="usr_ada"), sign_in("bob", account_id="usr_bob")
    nobodys, over = sign_in("none"), sign_in("over", account_id="usr_ada", expires_at=NOW)
    await store.commit(*(store.sign_ins.insert(one) for one in (ada, hers, nobodys, over)))
    assert await store.commit(store.sign_ins.end_of_account("usr_ada", NOW))
    left = [one.id for one in (ada, hers, nobodys, over) if await store.sign_ins.get(one.id)]
    assert left == ["sin_bob", "sin_none", "sin_over"]
    assert not await store.commit(store.sign_ins.replace(ada, replace(ada, consented=True)))


def test_a_sign_in_is_written_back_as_an_older_program_stored_it() -> None:
    """docs/incidents/0086-a-new-member-of-a-sign-in-lost-every-write.md: each step compares the whole document."""
    stored = DOCUMENTS["sign-in"]
    assert to_json(msgspec.json.decode(stored, type=SignIn)) == stored
