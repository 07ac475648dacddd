"""Sent codes: round trips, and the guards of their writes."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from doorward.storage.sql.store import Store
from tests.storage.samples import NOW, account, sent_code

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ada(store: Store) -> Store:
    """The store, with two people."""
    assert await store.commit(store.accounts.insert(account()), store.accounts.insert(account("bob")))
    return store


async def test_a_code_is_read_as_it_was_written(ada: Store) -> None:
    plain = sent_code()
    enrolling = sent_code(
        "two", factor_id=None, target=b"\x00sealed", tries=2, used_at=NOW + 5, request="enrol:ses_1"
    )
    assert await ada.commit(ada.sent_codes.insert(plain), ada.sent_codes.insert(enrolling))
    assert await ada.sent_codes.get("cod_one") == plain
    assert await ada.sent_codes.get("cod_two") == enrolling
    assert await ada.sent_codes.get("cod_none") is None
    assert list(await ada.sent_codes.of_account("usr_ada")) == [plain, enrolling]
    assert list(await ada.sent_codes.of_account("usr_bob")) == []


async def test_the_newest_code_of_a_request_is_found(ada: Store) -> None:
    first, second = sent_code(used_at=NOW + 60), sent_code("two", created_at=NOW + 60, sends=2)
    others = [sent_code("text", kind="sms", created_at=NOW + 99), sent_code("other", request="sin_two")]
    assert await ada.commit(*(ada.sent_codes.insert(code) for code in (second, first, *others)))
    assert await ada.sent_codes.of_request("sin_one", "email_code") == second
    assert await ada.sent_codes.of_request("sin_one", "sms") == others[0]
    assert await ada.sent_codes.of_request("sin_none", "email_code") is None


@pytest.mark.requirement(82)
async def test_no_concurrent_guess_is_lost(ada: Store) -> None:
    code = sent_code()
    assert await ada.commit(ada.sent_codes.insert(code))
    counted = await asyncio.gather(*(ada.commit(ada.sent_codes.count_try(code)) for _ in range(6)))
    assert counted.count(True) == 1
    assert await ada.sent_codes.get("cod_one") == replace(code, tries=1)


@pytest.mark.requirement(82)
async def test_a_code_is_used_once(ada: Store) -> None:
    code = sent_code()
    assert await ada.commit(ada.sent_codes.insert(code))
    used = await asyncio.gather(*(ada.commit(ada.sent_codes.use(code.id, NOW + n)) for n in range(6)))
    assert used.count(True) == 1
    assert not await ada.commit(ada.sent_codes.count_try(code))
    # it is replaced in the commit of another write, which takes effect all the same
    assert await ada.commit(
        ada.sent_codes.end(code.id, NOW + 9), ada.sent_codes.insert(sent_code("two", sends=2))
    )
    assert not await ada.commit(ada.sent_codes.use("cod_none", NOW))


async def test_the_codes_of_a_person_end_together_and_with_the_account(ada: Store) -> None:
    mine, theirs = sent_code(), sent_code("theirs", account_id="usr_bob")
    assert await ada.commit(ada.sent_codes.insert(mine), ada.sent_codes.insert(theirs))
    assert await ada.commit(ada.sent_codes.end_of_account("usr_ada"))
    assert (await ada.sent_codes.get("cod_one"), await ada.sent_codes.get("cod_theirs")) == (None, theirs)
    assert await ada.commit(ada.delete_account("usr_bob"))
    assert await ada.sent_codes.get("cod_theirs") is None


async def test_expired_codes_are_swept(ada: Store) -> None:
    assert await ada.commit(ada.sent_codes.insert(sent_code()))
    await ada.sweep(NOW + 599)
    assert await ada.sent_codes.get("cod_one") is not None
    await ada.sweep(NOW + 601)
    assert await ada.sent_codes.get("cod_one") is None
